"""Files that are no pictures: refused together, or left out by the spec, counted and named."""

from pathlib import Path

import numpy as np
import pytest

from app.errors import WorkFailure
from app.inputs.pictures import Form, pixels
from tests.intake.archives import take
from tests.picture_files import folders, png, zipped
from worker.datasets.stored_rows import StoredRows
from worker.intake.ingested import IngestedDataset

GOOD = folders("cat", "dog", items=5)
CUT = png(800, side=64)[:-3000]  # its header can be read, its pixels cannot
BAD = {"cat/0a.png": b"", "cat/zz.png": CUT, "dog/2a.jpg": b"<html>", "dog/0.png.png": CUT}


def take_zip(folder: Path, files: dict[str, bytes], **spec: object) -> IngestedDataset:
    return take(folder, {"photos.zip": zipped(files)}, **spec)


def test_the_others_are_what_they_were(tmp_path: Path) -> None:
    taken = take_zip(tmp_path, GOOD | BAD, unreadable="leave_out", image_size=(8, 8))
    alone = take_zip(tmp_path, GOOD, image_size=(8, 8))
    for name in ("x_train", "y_train", "x_test", "y_test"):
        assert (np.load(taken.arrays[name]) == np.load(alone.arrays[name])).all()
    facts = taken.profile["pictures"]
    assert facts["unreadable"]["left_out"] == 4
    assert {each["file"] for each in facts["unreadable"]["files"]} == BAD.keys()
    assert facts["files"] == {"PNG": 10}
    assert facts["resized"] == 0
    said = " ".join(taken.profile["warnings"])
    assert "4 of 14 files cannot be read as pictures and were left out" in said
    assert "`cat/0a.png`: an empty file" in said


def test_they_are_refused_unless_the_spec_says_so(tmp_path: Path) -> None:
    with pytest.raises(WorkFailure) as refused:
        take_zip(tmp_path, GOOD | BAD)
    assert refused.value.reason == "unreadable_pictures"
    assert '`unreadable`: "leave_out"' in refused.value.detail


def test_a_class_that_is_gone_is_told(tmp_path: Path) -> None:
    files = GOOD | {"eel/0.png": CUT, "eel/1.png": b""}
    taken = take_zip(tmp_path, files, unreadable="leave_out")
    assert taken.schema.classes == ("cat", "dog")
    assert "No picture is left of the classes `eel`." in taken.profile["warnings"]


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    files = folders("cat", "dog", top="train/") | {"test/cat/1.png": CUT}
    for held in (files, {"a/1.png": b""}):
        with pytest.raises(WorkFailure) as refused:
            take_zip(tmp_path, held, unreadable="leave_out")
        assert refused.value.reason == "unreadable_pictures"


def test_rows_of_metadata_go_with_them(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(12)]
    files = {
        name: CUT if name in {"3.png", "8.png"} else png(place) for place, name in enumerate(names)
    }
    table = "file_name,label\n" + "".join(f"{name},{'ab'[len(name) % 2]}\n" for name in names)
    table = table.replace("1.png,b", "1.png,a").replace("5.png,b", "5.png,a")
    taken = take_zip(
        tmp_path,
        files | {"metadata.csv": table.encode()},
        unreadable="leave_out",
        image_size=(8, 8),
    )
    held = StoredRows(taken.arrays["rows"]).column("file_name").to_pylist()
    assert sorted(held) == sorted(set(names) - {"3.png", "8.png"})
    pictures = np.concatenate([np.load(taken.arrays[f"x_{each}"]) for each in ("train", "test")])
    for name, picture in zip(held, pictures, strict=True):
        assert (picture == pixels(files[name], Form(8, 8, 3))).all()
