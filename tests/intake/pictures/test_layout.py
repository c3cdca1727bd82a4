"""Folders and names -> splits and classes, as the imagefolder convention has them."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from app.errors import WorkFailure
from tests.intake.archives import take
from tests.picture_files import folders, png, tarred, zipped
from worker.intake.ingestion import IngestedDataset


def take_zip(folder: Path, files: dict[str, bytes], **spec: object) -> IngestedDataset:
    return take(folder, {"photos.zip": zipped(files)}, **spec)


def refusal(folder: Path, files: dict[str, bytes], **spec: object) -> WorkFailure:
    with pytest.raises(WorkFailure) as refused:
        take_zip(folder, files, **spec)
    return refused.value


def labels(taken: IngestedDataset, split: str = "train") -> list[str]:
    y = np.load(taken.arrays[f"y_{split}"])
    return [taken.schema.classes[place] if place >= 0 else "" for place in y]


def said(taken: IngestedDataset) -> str:
    return " ".join(taken.profile["warnings"])


def test_a_folder_per_class(tmp_path: Path) -> None:
    taken = take_zip(tmp_path, folders("dog", "cat", items=5))
    assert taken.schema.classes == ("cat", "dog")
    assert taken.schema.splits == {"train": 8, "test": 2}
    assert taken.schema.inputs.shape == (8, 8, 3)
    assert labels(taken) == ["cat"] * 4 + ["dog"] * 4


def test_pictures_stand_with_their_labels(tmp_path: Path) -> None:
    files = {
        f"{split}/{name}/{number}.png": png(place + number)
        for split, place in (("train", 0), ("test", 50))
        for name, place in (("a", place), ("b", place + 10))
        for number in range(3)
    }
    taken = take_zip(tmp_path, files)
    for split, start in (("train", 0), ("test", 50)):
        x = np.load(taken.arrays[f"x_{split}"])
        for place, number in enumerate((0, 1, 2, 10, 11, 12)):
            values = np.random.default_rng(start + number).integers(0, 256, (8, 8, 3))
            assert np.array_equal(x[place], values)
        assert labels(taken, split) == ["a"] * 3 + ["b"] * 3


def test_the_order_in_the_archive_changes_nothing(tmp_path: Path) -> None:
    files = folders("a", "b", items=4)
    backwards = dict(reversed(files.items()))
    hashes = set()
    for number, content in enumerate((zipped(files), zipped(backwards), tarred(files))):
        inside = tmp_path / str(number)
        inside.mkdir()
        name = "a.tar.gz" if number == 2 else "a.zip"
        hashes.add(take(inside, {name: content}).content_hash)
    assert len(hashes) == 1


@pytest.mark.parametrize("test", ["test", "Testing", "eval"])
def test_folders_of_splits_below_one_top_folder(tmp_path: Path, test: str) -> None:
    files = folders("cat", "dog", top="photos/set/Training/")
    files |= folders("cat", "dog", items=2, top=f"photos/set/{test}/", seed=500)
    taken = take_zip(tmp_path, files)
    assert taken.schema.splits == {"train": 6, "test": 4}
    assert taken.schema.classes == ("cat", "dog")
    assert taken.profile["test_split"] == {"origin": "given"}
    assert "stand in the folder `photos/set`" in said(taken)


def test_validation_joins_training_beside_a_test_folder(tmp_path: Path) -> None:
    files = folders("cat", "dog", top="train/")
    files |= folders("cat", "dog", items=1, top="val/", seed=300)
    files |= folders("cat", "dog", items=2, top="test/", seed=500)
    taken = take_zip(tmp_path, files)
    assert taken.schema.splits == {"train": 8, "test": 4}
    assert "validation folder joined training" in said(taken)


def test_validation_is_the_test_split_where_there_is_no_other(tmp_path: Path) -> None:
    files = folders("cat", "dog", top="train/") | folders(
        "cat", "dog", items=1, top="valid/", seed=9
    )
    taken = take_zip(tmp_path, files)
    assert taken.schema.splits == {"train": 6, "test": 2}
    assert "validation folder is the test split" in said(taken)


def test_a_test_folder_alone_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, folders("cat", "dog", top="test/")).reason == "empty_split"


def test_names_of_splits_beside_other_folders_are_classes(tmp_path: Path) -> None:
    taken = take_zip(tmp_path, folders("train", "car", "plane"))
    assert taken.schema.classes == ("car", "plane", "train")
    assert "(`train`) stand beside others" in said(taken)


def test_the_class_is_the_folder_that_a_picture_stands_in(tmp_path: Path) -> None:
    taken = take_zip(tmp_path, folders("pets/cat", "pets/dog", "farm/cow"))
    assert taken.schema.classes == ("cat", "cow", "dog")
    assert "as in `farm/cow`" in said(taken)


def test_folders_of_splits_inside_of_classes(tmp_path: Path) -> None:
    files = {
        f"pets/{name}/{split}/{number}.png": png(number + 10 * place)
        for place, (name, split) in enumerate(product(("cat", "dog"), ("Train", "test")))
        for number in range(4)
    }
    taken = take_zip(tmp_path, files)
    assert taken.schema.classes == ("cat", "dog")
    assert taken.schema.class_counts == {"train": (4, 4), "test": (4, 4)}
    assert labels(taken, "test") == ["cat"] * 4 + ["dog"] * 4
    assert "stand inside of those of classes, as in `cat/Train`" in said(taken)


def test_without_folders_there_are_no_labels(tmp_path: Path) -> None:
    for number, top in enumerate(("", "all/", "train/all/")):
        inside = tmp_path / str(number)
        inside.mkdir()
        taken = take_zip(inside, {f"{top}{place}.png": png(place) for place in range(5)})
        assert taken.schema.classes == ()
        assert not taken.schema.has_labels("train")
        assert taken.schema.splits == {"train": 4, "test": 1}


def test_labels_in_training_alone(tmp_path: Path) -> None:
    files = folders("cat", "dog", top="train/") | {"test/1.png": png(77), "test/2.png": png(78)}
    taken = take_zip(tmp_path, files)
    assert taken.schema.has_labels("train")
    assert not taken.schema.has_labels("test")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("stray.png", "other.png"), "2 pictures stand in no folder of a class"),
        (("unlabelled/0.png", "unlabelled/1.png"), "2 pictures stand in `unlabelled`"),
        (("Unlabeled/0.png", "1.png"), "1 pictures stand in `Unlabeled`"),
    ],
)
def test_pictures_outside_of_the_classes_have_no_label(
    tmp_path: Path, names: tuple[str, ...], words: str
) -> None:
    files = folders("cat", "dog", items=5) | {name: png(n) for n, name in enumerate(names, 900)}
    taken = take_zip(tmp_path, files)
    assert taken.schema.classes == ("cat", "dog")
    assert taken.schema.splits == {"train": 10, "test": 2}
    assert sorted(labels(taken)) == ["", "", *["cat"] * 4, *["dog"] * 4]
    assert sorted(labels(taken, "test")) == ["cat", "dog"]
    assert words in said(taken)
    assert "2 of 10 items of train have no label" in said(taken)
    left = take_zip(tmp_path, files, unlabelled="leave_out")
    assert left.schema.splits == {"train": 8, "test": 2}
    assert left.profile["left_out"]["train"] == 2


def test_test_pictures_outside_of_the_classes_are_left_out(tmp_path: Path) -> None:
    files = folders("cat", "dog", top="train/") | folders("cat", "dog", top="test/", seed=500)
    taken = take_zip(tmp_path, files | {"test/stray.png": png(9)})
    assert taken.schema.splits == {"train": 6, "test": 6}
    assert taken.profile["left_out"] == {"train": 0, "test": 1}


def test_every_label_is_a_class_where_the_spec_says_so(tmp_path: Path) -> None:
    files = folders("cat", "unlabelled")
    taken = take_zip(tmp_path, files, missing_label=None)
    assert taken.schema.classes == ("cat", "unlabelled")
    refused = refusal(tmp_path, files | {"stray.png": png(9)}, missing_label=None)
    assert refused.reason == "partly_labelled"
    assert "1 outside: `stray.png`" in refused.detail


def test_a_class_of_the_test_split_alone_is_refused(tmp_path: Path) -> None:
    files = folders("cat", "dog", top="train/") | folders("cow", items=1, top="test/", seed=9)
    assert refusal(tmp_path, files).reason == "unknown_class"


def test_an_archive_per_split(tmp_path: Path) -> None:
    train, test = folders("cat", "dog"), folders("cat", "dog", items=2, seed=300)
    files = {"pets-train.zip": zipped(train), "pets_test.tar.gz": tarred(test)}
    taken = take(tmp_path, files)
    assert taken.schema.splits == {"train": 6, "test": 4}
    assert taken.schema.classes == ("cat", "dog")


def test_one_archive_may_be_called_a_test(tmp_path: Path) -> None:
    taken = take(tmp_path, {"my-test.zip": zipped(folders("cat", "dog"))})
    assert taken.profile["test_split"]["origin"] == "cut"


def test_loose_pictures_with_metadata(tmp_path: Path) -> None:
    rows = "file_name,label,age\n" + "".join(f"{n}.png,{'ab'[n % 2]},{n}\n" for n in range(10))
    files = {f"{n}.png": png(n) for n in range(10)} | {"metadata.csv": rows.encode("utf-8-sig")}
    taken = take(tmp_path, files)
    assert taken.schema.classes == ("a", "b")
    assert [column.name for column in taken.schema.columns] == ["file_name", "label", "age"]


def test_metadata_of_each_split_and_quantities(tmp_path: Path) -> None:
    files = {}
    for split, start in (("train", 0), ("test", 50)):
        lines = []
        for number in range(4):
            files[f"set/{split}/images/{number}.png"] = png(start + number)
            lines.append(json.dumps({"file_name": f"images/{number}.png", "label": number + 0.5}))
        files[f"set/{split}/metadata.jsonl"] = "\n".join(lines).encode()
    taken = take_zip(tmp_path, files)
    assert taken.schema.task.kind == "regression"
    assert np.load(taken.arrays["y_test"]).tolist() == [0.5, 1.5, 2.5, 3.5]


def test_a_picture_in_two_metadata_files_is_refused(tmp_path: Path) -> None:
    files = {f"images/{number}.png": png(number) for number in range(4)}
    files["metadata.csv"] = b"file_name,label\n" + b"".join(
        b"images/%d.png,%s\n" % (number, b"ab"[number % 2 :][:1]) for number in range(4)
    )
    files["images/metadata.csv"] = b"file_name,label\n3.png,a\n"
    refused = refusal(tmp_path, files)
    assert refused.reason == "repeated_file_name"
    assert "`images/3.png`" in refused.detail


def test_blank_rows_below_metadata_are_none(tmp_path: Path) -> None:
    rows = b"\n file_name ,label\n0.png,a\n1.png,b\n2.png,a\n3.png,b\n,\n,\n"
    files = {f"{number}.png": png(number) for number in range(4)}
    assert take_zip(tmp_path, files | {"metadata.csv": rows}).schema.classes == ("a", "b")


def test_metadata_without_labels_leaves_folders_classes(tmp_path: Path) -> None:
    files = folders("cat", "dog", top="pets/")
    rows = "file_name,age\n" + "".join(f"{name},3\n" for name in files)  # from the archive's top
    taken = take_zip(tmp_path, files | {"pets/metadata.csv": rows.replace("pets/", "").encode()})
    assert taken.schema.classes == ("cat", "dog")


def test_where_labels_could_have_stood_is_said(tmp_path: Path) -> None:
    named = b"filename,label\n0.png,a\n1.png,b\n"
    files = {f"images/{number}.png": png(number) for number in range(4)}
    told = " ".join(take_zip(tmp_path, files | {"labels.csv": named}).profile["warnings"])
    assert "1 files that are tables and annotations were not read: `labels.csv`; labels" in told
    assert "All pictures stand side by side: labels come from a folder for each class" in told


@pytest.mark.parametrize(
    ("rows", "reason", "words"),
    [
        (b"name,label\n0.png,a\n", "wrong_header", "a column `file_name`"),
        (b"file_name,label,label\n0.png,a,b\n", "duplicate_column", "`label`"),
        (b"file_name,label\n0.png,a\n1.png,b,c\n", "ragged_rows", "line 3"),
        (b"file_name,label\n0.png,a\n0.png,b\n", "repeated_file_name", "line 3"),
        (b"file_name,label\n0.png,a\n", "metadata_mismatch", "1 pictures without a row: `1.png`"),
        (
            b"file_name,label\n0.png,a\n1.png,b\n2.png,c\n",
            "metadata_mismatch",
            "1 rows without a picture: `2.png`",
        ),
        (
            b"file_name,label\n0,a\n1,b\n",
            "metadata_mismatch",
            "2 pictures without a row: `0.png`, `1.png`; 2 rows without a picture: `0`, `1`",
        ),
        (b"file_name,label\n../0.png,a\n", "unsafe_path", "leaves the folder"),
        (b"file_name," + b"x" * 201 + b"\n0.png,a\n", "name_too_long", "at most 200"),
        (
            b"file_name," + b",".join(b"%d" % n for n in range(10_000)) + b"\n0.png",
            "too_many_columns",
            "got 10001",
        ),
        (b"file_name,label\n,a\n", "missing_file_name", "line 2"),
        (b"file_name,label\n0.png,\xff\n", "unknown_encoding", "line 2"),
        (b'file_name,label\n0.png,"a\n', "metadata_mismatch", "`1.png`"),
        (b"file_name,label\n0.png,\n1.png,\n", "no_labels", "`label`"),
    ],
)
def test_wrong_metadata_is_refused_by_line(
    tmp_path: Path, rows: bytes, reason: str, words: str
) -> None:
    refused = refusal(tmp_path, {"0.png": png(0), "1.png": png(1), "metadata.csv": rows})
    assert refused.reason == reason
    assert words in refused.detail


@pytest.mark.parametrize("line", ["[1]", "{", '{"file_name": "0.png", "label": [1]}'])
def test_wrong_json_lines_are_refused_by_line(tmp_path: Path, line: str) -> None:
    refused = refusal(tmp_path, {"0.png": png(0), "metadata.jsonl": b"\n" + line.encode()})
    assert refused.reason in {"invalid_json", "nested_column"}
    assert "line 2" in refused.detail
