"""Archives of .txt files: classes and splits by their folders."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import WorkFailure
from app.inputs.text import texts_of
from tests.intake.archives import LIMITS, take
from tests.intake.pictures.test_archives import outcome
from tests.intake.tables import kinds_of, rows_of, x_of, y_of
from worker.intake.ingested import IngestedDataset

FILES = {
    f"reviews/{split}/{label}/{place}.txt": f"{text} number {place}\n".encode()
    for split, count in (("train", 4), ("test", 2))
    for label, text in (("好", "味道很好"), ("bad", "never again"))
    for place in range(count)
}


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def take_zip(folder: Path, files: dict[str, bytes], **spec: Any) -> IngestedDataset:
    return take(folder, {"texts.zip": zipped(files)}, LIMITS, **spec)


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zipped), ("a.tar.gz", tarred)])
def test_folders_are_classes_and_splits(tmp_path: Path, name: str, pack: Any) -> None:
    files = {**FILES, "reviews/README.txt": b"what this is", "reviews/notes.pdf": b"%PDF"}
    taken = take(tmp_path, {name: pack(files)}, LIMITS)
    assert taken.schema.inputs.modality == "text"
    assert taken.schema.classes == ("bad", "好")
    assert taken.schema.splits == {"train": 8, "test": 4}
    assert kinds_of(taken)["file"][1] == "id"
    for split, start, stop in (("train", 0, 8), ("test", 8, 12)):
        rows = rows_of(taken).slice(start, stop - start).to_pylist()
        assert texts_of(x_of(taken, split)) == [row["text"].strip() for row in rows]
        labels = [taken.schema.classes[code] for code in y_of(taken, split)]
        assert labels == [row["label"] for row in rows]
        assert all(f"/{row['label']}/" in row["file"] for row in rows)


def test_texts_of_one_folder_have_no_labels(tmp_path: Path) -> None:
    files = {f"texts/{place}.txt": f"text number {place}".encode() for place in range(10)}
    taken = take_zip(tmp_path, files)
    assert not taken.schema.has_labels("train")
    said = " ".join(taken.profile["files"])
    assert "All texts stand in one folder, `texts`" in said or "folder `texts`" in said
    assert "picture" not in " ".join([said, *taken.profile["warnings"]])


def test_empty_files_are_left_out_and_named(tmp_path: Path) -> None:
    files = {**FILES, "reviews/train/bad/0.txt": b" \r\n"}
    taken = take_zip(tmp_path, files)
    assert taken.schema.splits == {"train": 7, "test": 4}
    (place,) = taken.profile["texts"]["without_text"]["places"]
    assert place.startswith("`reviews/train/bad/0.txt`")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_one_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    files = {
        name: content.decode().replace("never", "再也不").encode(encoding)
        for name, content in FILES.items()
    }
    found = texts_of(x_of(take_zip(tmp_path, files)))
    assert "味道很好 number 0" in found
    assert "再也不 again number 0" in found


@pytest.mark.parametrize(
    ("files", "spec", "reason"),
    [
        ({**FILES, "reviews/train/bad/9.txt": b"\xff\xfe\x00"}, {}, "unknown_encoding"),
        ({**FILES, "reviews/train/bad/9.txt": b"caf\xe9 "}, {}, "unknown_encoding"),
        (FILES, {"columns": {"text": "category"}}, "not_a_table"),
        ({"notes.pdf": b"%PDF"}, {"modality": "text"}, "no_pictures"),
        ({"test/a/1.txt": b"fine"}, {}, "empty_split"),
        (FILES, {"image_size": [2, 2]}, "not_for_tables"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, files: dict[str, bytes], spec: dict[str, Any], reason: str
) -> None:
    with pytest.raises(WorkFailure) as raised:
        take_zip(tmp_path, files, **spec)
    assert raised.value.reason == reason
    assert "picture" not in raised.value.detail or reason == "not_for_tables"


def test_pictures_with_texts_beside_stay_pictures(tmp_path: Path) -> None:
    with pytest.raises(WorkFailure) as raised:
        take_zip(tmp_path, {**FILES, "reviews/train/bad/9.jpg": b"no picture"})
    assert "pictures" in raised.value.detail


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zipped), ("a.tar.gz", tarred)])
def test_damaged_archives_give_a_dataset_or_a_reason(tmp_path: Path, name: str, pack: Any) -> None:
    rng, whole = np.random.default_rng(0), pack(FILES)
    for number in range(12):
        content = bytearray(whole)
        for place in rng.integers(0, len(content), 3):
            content[place] = rng.integers(256)
        content = content[: rng.integers(20, len(content))] if number % 2 else content
        folder = tmp_path / str(number)
        folder.mkdir()
        assert outcome(folder, name, bytes(content))
