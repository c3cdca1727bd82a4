"""Columns of a metadata file beside pictures: what they are, and what they decide."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import WorkFailure
from tests.intake.archives import take
from tests.picture_files import png, zipped
from worker.datasets.stored_rows import StoredRows
from worker.intake.ingested import IngestedDataset

PATIENTS = 8
ROWS = [
    {
        "file_name": f"{number:02}.png",
        "label": "ab"[number % 2],
        "patient": f"P{number // 5}",
        "age": 20 + number // 5 * 3,
        "seen": f"2026-03-{number // 5 + 1:02}",
        "site": "Oslo" if number < 24 else "Rome",
        "size": number + 0.5,
    }
    for number in range(5 * PATIENTS)
]


def csv_of(rows: list[dict[str, Any]]) -> bytes:
    lines = [rows[0], *rows]
    return "\n".join(
        ",".join(map(str, row.values() if place else row.keys())) for place, row in enumerate(lines)
    ).encode()


def files(rows: list[dict[str, Any]] = ROWS) -> dict[str, bytes]:
    """Pictures whose first pixel is told apart, and their metadata."""
    pictures = {row["file_name"]: png(place) for place, row in enumerate(rows)}
    return pictures | {"metadata.csv": csv_of(rows)}


def take_zip(folder: Path, held: dict[str, bytes], **spec: Any) -> IngestedDataset:
    return take(folder, {"photos.zip": zipped(held)}, **spec)


def refusal(folder: Path, held: dict[str, bytes], **spec: Any) -> WorkFailure:
    with pytest.raises(WorkFailure) as refused:
        take_zip(folder, held, **spec)
    return refused.value


def column(taken: IngestedDataset, name: str) -> list[Any]:
    found: list[Any] = StoredRows(taken.arrays["rows"]).column(name).to_pylist()
    return found


def values(taken: IngestedDataset, what: str) -> np.ndarray:
    return np.concatenate([np.load(taken.arrays[f"{what}_{split}"]) for split in ("train", "test")])


def test_columns_have_kinds_and_roles(tmp_path: Path) -> None:
    taken = take_zip(tmp_path, files(), columns={"age": {"kind": "number", "unit": "years"}})
    told = {each.name: (each.kind, each.role) for each in taken.schema.columns}
    assert told == {
        "file_name": ("image", "id"),
        "label": ("category", "label"),
        "patient": ("category", "ignored"),
        "age": ("number", "ignored"),
        "seen": ("date", "ignored"),
        "site": ("category", "ignored"),
        "size": ("identifier", "id"),
    }
    assert taken.schema.columns[3].unit == "years"
    assert "a network sees the pictures alone" in taken.schema.columns[2].reason
    assert taken.profile["columns"]["age"] == {"missing": {"train": 0, "test": 0}}
    assert taken.profile["target"]["columns"] == ["label"]


def test_rows_stand_in_the_order_of_the_pictures(tmp_path: Path) -> None:
    """Each picture is known by its pixels."""
    taken = take_zip(tmp_path, files())
    pictures = values(taken, "x")
    held = {name: place for place, name in enumerate(column(taken, "file_name"))}
    for number in (0, 7, 24, 39):
        place = held[f"{number:02}.png"]
        assert (pictures[place] == decoded(png(number))).all()
        assert taken.schema.classes[values(taken, "y")[place]] == "ab"[number % 2]
        assert column(taken, "age")[place] == 20 + number // 5 * 3


def decoded(data: bytes) -> np.ndarray:
    from app.inputs.pictures import Form, pixels

    return pixels(data, Form(8, 8, 3))


def test_a_patient_is_never_on_both_sides(tmp_path: Path) -> None:
    """Not even with pictures that have no label."""
    rows = [
        row | {"label": "" if place % 5 == 4 else row["label"]} for place, row in enumerate(ROWS)
    ]
    taken = take_zip(tmp_path, files(rows), split={"group": "patient", "test_fraction": 0.25})
    first = taken.schema.splits["train"]
    patients = column(taken, "patient")
    assert not set(patients[:first]) & set(patients[first:])
    assert taken.schema.splits["test"] == 8
    assert (np.load(taken.arrays["y_train"]) == -1).sum() == 6
    assert taken.profile["left_out"]["train"] == 2
    assert taken.profile["groups_across_splits"] == 0
    told = {each.name: each.role for each in taken.schema.columns}
    assert told["patient"] == "group"
    assert any("of each whole group of `patient`" in each for each in taken.profile["warnings"])


def test_groups_across_a_given_split_are_told(tmp_path: Path) -> None:
    rows = [
        row | {"file_name": f"{s}/{row['file_name']}"}
        for row, s in zip(ROWS, ["train"] * 33 + ["test"] * 7, strict=True)
    ]
    taken = take_zip(tmp_path, files(rows), columns={"patient": {"role": "group"}})
    assert taken.schema.splits == {"train": 33, "test": 7}
    assert taken.profile["groups_across_splits"] == 1
    assert any("1 groups of the column `patient`" in each for each in taken.profile["warnings"])


@pytest.mark.parametrize("split", [{"where": {"site": ["Rome"]}}, {"column": "part"}])
def test_columns_say_which_pictures_are_for_testing(tmp_path: Path, split: dict[str, Any]) -> None:
    rows = [row | {"part": "test" if row["site"] == "Rome" else "train"} for row in ROWS]
    taken = take_zip(tmp_path, files(rows), split=split)
    assert taken.schema.splits == {"train": 24, "test": 16}
    assert set(column(taken, "site")[24:]) == {"Rome"}
    assert taken.profile["test_split"]["origin"] == next(iter(split))
    place = column(taken, "file_name").index("30.png")
    assert (values(taken, "x")[place] == decoded(png(30))).all()


def test_the_spec_names_the_labels(tmp_path: Path) -> None:
    taken = take_zip(tmp_path, files(), target={"column": "site"})
    assert taken.schema.classes == ("Oslo", "Rome")
    years = take_zip(tmp_path, files(), target={"column": "age"}, task="regression", unit="years")
    assert years.schema.task.kind == "regression"
    assert years.schema.task.unit == "years"
    assert sorted(set(values(years, "y").tolist())) == [20 + 3 * each for each in range(PATIENTS)]
    none = take_zip(tmp_path, files(), target={"columns": []})
    assert not none.schema.has_labels("train")


def test_several_columns_are_several_labels(tmp_path: Path) -> None:
    rows = [row | {"red": place % 2, "old": int(place % 3 == 0)} for place, row in enumerate(ROWS)]
    taken = take_zip(tmp_path, files(rows), target={"columns": ["red", "old"]})
    assert taken.schema.task.kind == "multi_label"
    place = column(taken, "file_name").index("09.png")
    assert values(taken, "y")[place].tolist() == [1, 1]


def test_labels_of_folders_beside_columns(tmp_path: Path) -> None:
    rows = [
        {"file_name": f"{row['label']}/{row['file_name']}", "patient": row["patient"]}
        for row in ROWS
    ]
    taken = take_zip(tmp_path, files(rows), split={"group": "patient"})
    assert taken.schema.classes == ("a", "b")
    assert {each.role for each in taken.schema.columns} == {"id", "group"}


def test_metadata_is_read_as_tables_are(tmp_path: Path) -> None:
    """Semicolons, decimal commas, UTF-16, as spreadsheets write them."""
    text = csv_of(ROWS).decode().replace(",", ";").replace(".5", ",5")
    taken = take_zip(
        tmp_path, files() | {"metadata.csv": text.encode("utf-16")}, target={"column": "size"}
    )
    assert sorted(values(taken, "y").tolist()) == [row["size"] for row in ROWS]


def test_lines_of_json_keep_their_types(tmp_path: Path) -> None:
    lines = [
        json.dumps(row | {"well": bool(place % 3), "dose": None if place else 2})
        for place, row in enumerate(ROWS)
    ]
    held = files()
    del held["metadata.csv"]
    taken = take_zip(tmp_path, held | {"metadata.jsonl": "\n".join(lines).encode()})
    told = {each.name: each.kind for each in taken.schema.columns}
    assert told["well"] == "flag"
    assert taken.profile["columns"]["dose"]["missing"]["train"] >= 31
    assert isinstance(column(taken, "age")[0], float)


@pytest.mark.parametrize(
    ("spec", "reason", "pointer"),
    [
        ({"columns": {"agee": "number"}}, "unknown_column", "#/spec/columns"),
        (
            {"modality": "image", "columns": {"age": {"role": "feature"}}},
            "not_for_pictures",
            "#/spec/columns/age/role",
        ),
        ({"columns": {"site": "number"}}, "wrong_type", "#/file/site"),
        ({"target": {"column": "lable"}}, "unknown_column", "#/spec/target/column"),
        ({"target": {"column": "site"}, "task": "regression"}, "wrong_type", "#/file/site"),
        ({"split": {"group": "nobody"}}, "unknown_column", "#/spec/split/group"),
        ({"split": {"where": {"site": ["Paris"]}}}, "empty_split", "#/spec/split/where/site"),
        ({"split": {"column": "site"}}, "wrong_split", "#/file/site"),
    ],
)
def test_what_the_spec_says_of_columns_is_checked(
    tmp_path: Path, spec: dict[str, Any], reason: str, pointer: str
) -> None:
    refused = refusal(tmp_path, files(), **spec)
    assert refused.reason == reason
    assert refused.pointer is not None
    assert refused.pointer.startswith(pointer)


def test_pictures_without_metadata_have_no_columns(tmp_path: Path) -> None:
    held = {name: data for name, data in files().items() if name != "metadata.csv"}
    refused = refusal(tmp_path, held, split={"group": "patient"})
    assert (refused.reason, refused.pointer) == ("not_a_table", "#/spec/split")
    assert "metadata.csv beside them" in refused.detail
