"""Items of several parts: archives with metadata, arrays of parts, tables with texts."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest

from app.errors import WorkFailure
from app.inputs.joined import JoinedInputs
from tests.intake.archives import npz_bytes, take
from tests.picture_files import png, zipped
from worker.intake.ingested import IngestedDataset
from worker.intake.raw import IntakeLimits

LIMITS = IntakeLimits(items=1000, bytes=2**24)
TOWNS = ("Oslo", "Rome")


def archive(rows: list[str], files: int = 20, header: str = "file_name,area,town,label") -> bytes:
    """Pictures `front/NUMBER.png`, and a metadata.csv of these rows."""
    held = {f"front/{number}.png": png(number) for number in range(files)}
    return zipped(held | {"metadata.csv": "\n".join([header, *rows]).encode()})


def houses(count: int = 20) -> list[str]:
    return [
        f"front/{number}.png,{number * 1.5 + 0.25},{TOWNS[number % 2]},{'ab'[number // 2 % 2]}"
        for number in range(count)
    ]


def taken(folder: Path, rows: list[str], **spec: Any) -> IngestedDataset:
    header = spec.pop("header", "file_name,area,town,label")
    files = {"houses.zip": archive(rows, header=header)}
    return take(folder, files, LIMITS, **{"modality": "joined", **spec})


def stored(found: IngestedDataset, split: str) -> dict[str, np.ndarray]:
    inputs = found.schema.inputs
    return {tensor: np.load(found.arrays[name]) for tensor, name in inputs.arrays(split).items()}


def test_a_picture_and_a_row(tmp_path: Path) -> None:
    rows = houses()
    rows[4] = ",9.75,Oslo,a"
    rows[5] = "front/5.png,,,a"
    found = taken(tmp_path, rows)
    inputs = found.schema.inputs
    assert isinstance(inputs, JoinedInputs)
    assert [(part.name, part.inputs.modality) for part in inputs.parts] == [
        ("image", "image"),
        ("row", "table"),
    ]
    items = {
        name: np.concatenate([stored(found, split)[name] for split in ("train", "test")])
        for name in stored(found, "train")
    }
    assert items["image.image"].shape == (20, 8, 8, 3)
    assert sorted(items["image.present"]) == [0, *[1] * 19]
    assert np.isnan(items["row.row"]).all(axis=1).sum() == 1
    (gone,) = np.flatnonzero(items["image.present"] == 0)
    assert items["row.row"][gone][0] == np.float32(9.75)
    assert not items["image.image"][gone].any()
    assert found.profile["parts"]["image"]["modality"] == "image"
    assert sum(found.profile["parts"]["row"]["missing"].values()) == 1
    assert any("`image` is missing in" in each for each in found.profile["warnings"])
    roles = {column.name: (column.kind, column.role) for column in found.schema.columns}
    assert roles["file_name"] == ("image", "id")
    assert roles["area"] == ("number", "feature")


def test_a_role_says_that_columns_are_learnt_from(tmp_path: Path) -> None:
    columns = {"area": {"role": "feature"}, "town": "ignore"}
    found = take(tmp_path, {"a.zip": archive(houses())}, LIMITS, columns=columns)
    (row,) = (part for part in found.schema.inputs.parts if part.name == "row")
    assert [column.name for column in row.inputs.columns] == ["area"]


def test_without_it_pictures_are_the_items(tmp_path: Path) -> None:
    found = take(tmp_path, {"a.zip": archive(houses())}, LIMITS)
    assert found.schema.inputs.modality == "image"


def test_several_pictures_of_an_item(tmp_path: Path) -> None:
    rows = [f"{row.replace(',', f',front/{19 - n}.png,', 1)}" for n, row in enumerate(houses())]
    found = taken(tmp_path, rows, header="front_file_name,back_file_name,area,town,label")
    assert [part.name for part in found.schema.inputs.parts] == ["front", "back", "row"]
    items = stored(found, "train")
    assert items["front.present"].all()
    assert (items["front.image"] != items["back.image"]).any()


def test_a_picture_that_cannot_be_read_is_missing_where_the_spec_says_so(tmp_path: Path) -> None:
    held = {f"front/{number}.png": png(number) for number in range(20)}
    held["front/7.png"] = b"no picture"
    held["metadata.csv"] = "\n".join(["file_name,area,town,label", *houses()]).encode()
    with pytest.raises(WorkFailure, match=r"front/7\.png"):
        take(tmp_path, {"a.zip": zipped(held)}, LIMITS, modality="joined")
    inside = tmp_path / "again"
    inside.mkdir()
    found = take(inside, {"a.zip": zipped(held)}, LIMITS, modality="joined", unreadable="leave_out")
    assert sum(found.profile["parts"]["image"]["missing"].values()) == 1
    assert sum(found.schema.splits.values()) == 20


REFUSED: dict[str, tuple[list[str], dict[str, Any], str, str]] = {
    "a picture that is not in the archive": (
        [*houses(19), "front/other.png,1,Oslo,a"],
        {},
        "missing_pictures",
        "#/file/front~1other.png",
    ),
    "an item without any part": ([*houses(19), ",,,a"], {}, "empty_items", "#/file"),
    "nothing to learn from beside pictures": (
        houses(),
        {"columns": {"area": "ignore", "town": "ignore"}},
        "one_part",
        "#/file",
    ),
    "no column that names files": (
        houses(),
        {"header": "file,area,town,label"},
        "wrong_header",
        "#/file",
    ),
    "a part's name": (houses(), {"header": "6_file_name,area,town,label"}, "wrong_part_name", ""),
    "a column that is not there": (
        houses(),
        {"columns": {"garden": "number"}},
        "unknown_column",
        "#/spec/columns/garden",
    ),
    "a way out of the archive": (
        [*houses(19), "../secret.png,1,Oslo,a"],
        {},
        "unsafe_path",
        "#/file",
    ),
}


@pytest.mark.parametrize(("rows", "spec", "reason", "pointer"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(
    tmp_path: Path, rows: list[str], spec: dict[str, Any], reason: str, pointer: str
) -> None:
    with pytest.raises(WorkFailure) as raised:
        taken(tmp_path, rows, **spec)
    assert raised.value.reason == reason, raised.value.detail
    assert str(raised.value.pointer).startswith(pointer)


def test_all_missing_pictures_are_named(tmp_path: Path) -> None:
    rows = [*houses(17), *(f"front/x{number}.png,1,Oslo,a" for number in range(3))]
    with pytest.raises(WorkFailure) as raised:
        taken(tmp_path, rows)
    assert len(raised.value.findings) == 3
    assert "line 19" in raised.value.findings[0].detail


@pytest.mark.parametrize("second", ["front/3.png", "metadata.csv"])
def test_a_file_in_two_archives_is_refused(tmp_path: Path, second: str) -> None:
    """The later one took the place of the first, without a word."""
    files = {"a.zip": archive(houses()), "b.zip": zipped({second: b"x"})}
    with pytest.raises(WorkFailure) as raised:
        take(tmp_path, files, LIMITS, modality="joined")
    assert raised.value.reason == "repeated_file"
    assert f"got `{second}` in `a.zip` and in `b.zip`" in raised.value.detail


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_twice_in_one_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    path.write_bytes(archive(houses()))
    with ZipFile(path, "a") as opened:
        opened.writestr("front/3.png", png(4))
    with pytest.raises(WorkFailure) as raised:
        take(tmp_path, {"a.zip": path.read_bytes()}, LIMITS, modality="joined")
    assert raised.value.reason == "repeated_file"
    assert "twice in `a.zip`" in raised.value.detail


def test_pictures_that_are_missing_take_room_before_any_is_written(tmp_path: Path) -> None:
    """One picture and many rows without: each is stored as one of zeros."""
    rows = [houses(1)[0], *(f",{number}.5,Oslo,{'ab'[number % 2]}" for number in range(999))]
    limits = IntakeLimits(items=1000, bytes=1000 * 8 * 8 * 3 - 1)
    with pytest.raises(WorkFailure) as raised:
        take(tmp_path, {"a.zip": archive(rows, 1)}, limits, modality="joined")
    assert raised.value.reason == "too_large"
    assert "1000 pictures of 8 x 8" in raised.value.detail
    assert not [*tmp_path.glob("x_train*")]
    assert not [*tmp_path.glob("joined_*")]


def parts(**changed: Any) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    held = {
        "x_train.front": rng.integers(0, 256, (30, 8, 8, 3)).astype(np.uint8),
        "x_train.house": rng.normal(size=(30, 2)).astype(np.float32),
        "columns.house": np.array(["area", "rooms"]),
        "y_train": np.arange(30) % 2,
        "class_names": np.array(["cheap", "dear"]),
        **changed,
    }
    return {name: array for name, array in held.items() if array is not None}


def take_parts(folder: Path, **changed: Any) -> IngestedDataset:
    return take(folder, {"a.npz": npz_bytes(**parts(**changed))}, LIMITS)


def test_arrays_of_parts(tmp_path: Path) -> None:
    front = parts()["x_train.front"].astype(np.float32)
    front[4] = np.nan
    found = take_parts(tmp_path, **{"x_train.front": front})
    assert [part.name for part in found.schema.inputs.parts] == ["front", "house"]
    house = found.schema.inputs.parts[1].inputs
    assert [column.name for column in house.columns] == ["area", "rooms"]
    assert found.schema.task.classes == ("cheap", "dear")
    present = [stored(found, split)["front.present"] for split in ("train", "test")]
    assert sorted(np.concatenate(present)) == [0, *[1] * 29]
    assert "label" not in " ".join(found.profile["warnings"]).split("`")


def test_a_test_split_of_arrays(tmp_path: Path) -> None:
    held = parts()
    of_test = {
        "x_test.front": held["x_train.front"][:6],
        "x_test.house": held["x_train.house"][:6],
        "y_test": held["y_train"][:6],
    }
    found = take_parts(tmp_path, **of_test)
    assert dict(found.schema.splits) == {"train": 30, "test": 6}
    np.testing.assert_array_equal(stored(found, "test")["front.image"], held["x_train.front"][:6])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"x_test.front": np.zeros((3, 8, 8, 3), np.uint8)}, "missing_array"),
        ({"x_train.house": np.zeros((29, 2), np.float32)}, "shape_mismatch"),
        ({"columns.house": np.array(["area", "area"])}, "wrong_header"),
        ({"x_train.a b": np.zeros((30, 1), np.float32)}, "wrong_part_name"),
        ({"x_train.house": None, "columns.house": None}, "one_part"),
        ({"y_train": np.arange(30) % 3}, "wrong_type"),
    ],
)
def test_arrays_that_are_refused(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(WorkFailure) as raised:
        take_parts(tmp_path, **changed)
    assert raised.value.reason == reason, raised.value.detail


def test_a_text_and_a_row_of_a_table(tmp_path: Path) -> None:
    said = ["a quiet house by the sea", "a loud flat above a bar", "two rooms and a garden"]
    lines = ["note,area,label"]
    for number in range(40):
        note = f"{said[number % 3]} with number {number}" if number % 8 else ""
        lines.append(f"{note},{number * 0.75},{'ab'[number % 2]}")
    found = take(tmp_path, {"a.csv": "\n".join(lines).encode()}, LIMITS, modality="joined")
    assert [(part.name, part.inputs.modality) for part in found.schema.inputs.parts] == [
        ("row", "table"),
        ("note", "text"),
    ]
    assert sum(found.profile["parts"]["note"]["missing"].values()) == 5
