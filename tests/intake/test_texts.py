"""A column of texts as the items of a dataset."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from app.errors import WorkFailure
from app.inputs.text import CUT, texts_of
from tests.intake.archives import take
from tests.intake.tables import LIMITS, csv_text, kinds_of, rows_of, take_csv, x_of, y_of

SAID = [f"the {word} dish number {place} was served" for place in range(10) for word in "ab"]
MORE: dict[str, Any] = {"height": None, "city": None}


def test_a_table_of_texts_alone(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, csv_text(text=SAID, **MORE))
    assert taken.schema.inputs.modality == "text"
    assert taken.schema.inputs.length == 32
    assert kinds_of(taken) == {"label": ("category", "label"), "text": ("text", "feature")}
    x = x_of(taken)
    assert (x.shape, x.dtype) == ((16, 32), np.int32)
    both = [*texts_of(x), *texts_of(x_of(taken, "test"))]
    assert sorted(both) == sorted(SAID)
    assert rows_of(taken)["text"].to_pylist() == both
    labels = [("a", "b")[code] for code in np.concatenate([y_of(taken), y_of(taken, "test")])]
    assert labels == rows_of(taken)["label"].to_pylist()


def test_texts_beside_numbers_stay_a_table_which_says_how(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, csv_text(text=SAID))
    assert taken.schema.inputs.modality == "table"
    (said,) = [each for each in taken.profile["warnings"] if "`text` is left out" in each]
    assert '`columns`: {"NAME": {"kind": "text", "role": "feature"}}' in said


@pytest.mark.parametrize(
    "spec",
    [{"columns": {"text": {"kind": "text", "role": "feature"}}}, {"modality": "text"}],
)
def test_the_spec_makes_the_text_the_item(tmp_path: Path, spec: dict[str, Any]) -> None:
    taken = take_csv(tmp_path, csv_text(text=SAID), **spec)
    assert taken.schema.inputs.modality == "text"
    assert kinds_of(taken)["height"] == ("number", "ignored")
    assert rows_of(taken)["height"].type == pa.float64()
    assert "sees nothing of `height`, `city`" in " ".join(taken.profile["warnings"])


def test_other_columns_keep_their_roles(tmp_path: Path) -> None:
    taken = take_csv(
        tmp_path,
        csv_text(text=SAID, number=range(20)),
        columns={
            "text": {"kind": "text", "role": "feature"},
            "city": {"role": "domain"},
            "height": {"role": "group"},
        },
    )
    assert kinds_of(taken) == {
        "height": ("number", "group"),
        "city": ("category", "domain"),
        "label": ("category", "label"),
        "text": ("text", "feature"),
        "number": ("identifier", "id"),
    }


def test_a_domain_tells_training_from_test(tmp_path: Path) -> None:
    taken = take_csv(
        tmp_path,
        csv_text(text=SAID, height=None),
        split={"where": {"city": ["Rome"]}},
    )
    assert taken.schema.inputs.modality == "text"
    cities = rows_of(taken)["city"].to_pylist()
    assert set(cities[taken.schema.splits["train"] :]) == {"Rome"}


def test_short_words_are_texts_where_the_spec_says_so(tmp_path: Path) -> None:
    text = csv_text(text=["good", "bad"] * 10, **MORE)
    assert take_csv(tmp_path, text).schema.inputs.modality == "table"
    assert take_csv(tmp_path, text, modality="text").schema.inputs.modality == "text"


def test_formats_with_types_hold_texts_too(tmp_path: Path) -> None:
    table = pa.table({"text": SAID, "label": ["a", "b"] * 10})
    parquet.write_table(table, tmp_path / "texts.parquet")
    lines = "".join(f"{json.dumps(row)}\n" for row in table.to_pylist())
    found = [
        take(tmp_path, {name: content}, LIMITS)
        for name, content in (
            ("texts.parquet", (tmp_path / "texts.parquet").read_bytes()),
            ("texts.jsonl", lines.encode()),
        )
    ]
    assert np.array_equal(x_of(found[0]), x_of(found[1]))


def test_rows_without_a_text_are_left_out_and_named(tmp_path: Path) -> None:
    said = [*SAID]
    said[3], said[11] = "", " \x07 "
    taken = take_csv(tmp_path, csv_text(text=said, **MORE))
    assert sum(taken.schema.splits.values()) == 18
    assert taken.profile["texts"]["without_text"] == {"rows": 2, "places": ["line 5", "line 13"]}
    assert taken.profile["warnings"][0] == "2 rows have no text and are left out: line 5, line 13."
    assert rows_of(taken).num_rows == 18


def test_of_two_files_each_names_its_own(tmp_path: Path) -> None:
    lines = csv_text(text=SAID, **MORE)
    hole = lines.replace(SAID[4], "")
    taken = take(tmp_path, {"train.csv": lines.encode(), "test.csv": hole.encode()}, LIMITS)
    assert taken.schema.splits == {"train": 20, "test": 19}
    assert taken.profile["texts"]["without_text"]["places"] == ["line 6 of `test.csv`"]
    assert taken.profile["duplicates"]["across_splits"] == 19


def test_long_texts_are_cut_and_counted(tmp_path: Path) -> None:
    said = ["long " * 5000] * 8 + SAID[8:]
    taken = take_csv(tmp_path, csv_text(text=said, **MORE), max_characters=40)
    assert taken.schema.inputs.length == 64
    cut = taken.profile["texts"]["cut"]
    assert sum(cut.values()) == 8
    x = np.concatenate([x_of(taken), x_of(taken, "test")])
    assert int((x[:, -1] == CUT).sum()) == 8
    assert any("longer than the 64 characters" in each for each in taken.profile["warnings"])


def test_the_profile_tells_of_scripts_and_of_texts_that_come_twice(tmp_path: Path) -> None:
    said = [*SAID[:-4], "味道很好 ok", "味道很好 ok", SAID[0], SAID[1]]
    labels = ["a", "b"] * 8 + ["a", "b", "b", "b"]
    taken = take_csv(
        tmp_path,
        csv_text(text=said, label=labels, **MORE),
        split={"test_fraction": 0.1},
        max_characters=64,
    )
    texts = taken.profile["texts"]
    assert texts["column"] == "text"
    assert texts["characters"]["train"]["shortest"] <= texts["characters"]["train"]["longest"]
    shares = texts["scripts"]["train"] | texts["scripts"]["test"]
    assert set(shares) == {"Latin", "Han"}
    contradicting = taken.profile["duplicates"]["contradicting"]
    assert sum(contradicting["within"].values()) + contradicting["across_splits"] >= 1


@pytest.mark.parametrize(
    ("columns", "spec", "reason", "pointer"),
    [
        ({"more": SAID}, {}, "several_texts", "#/spec/columns"),
        ({"text": None, "height": range(20)}, {"modality": "text"}, "no_text", "#/spec/modality"),
        ({"text": [""] * 20}, {"modality": "text"}, "no_text", "#/"),
        ({}, {"image_size": [2, 2]}, "not_for_tables", "#/spec/image_size"),
        (
            {"height": range(20)},
            {
                "columns": {
                    "text": {"kind": "text", "role": "feature"},
                    "height": {"role": "feature"},
                }
            },
            "not_for_texts",
            "#/spec/columns/height/role",
        ),
        (
            {"height": range(1, 41, 2)},
            {"columns": {"text": "ignore"}, "max_characters": 5},
            "not_for_tables",
            "#/spec/max_characters",
        ),
    ],
)
def test_what_is_refused(
    tmp_path: Path, columns: dict[str, Any], spec: dict[str, Any], reason: str, pointer: str
) -> None:
    held: dict[str, Any] = {"text": SAID, **MORE, **columns}
    with pytest.raises(WorkFailure) as raised:
        take_csv(tmp_path, csv_text(**held), **spec)
    assert raised.value.reason == reason
    assert str(raised.value.pointer).startswith(pointer)


def test_too_many_characters_in_all(tmp_path: Path) -> None:
    said = [*SAID[:-1], "x" * 8000] * 20
    with pytest.raises(WorkFailure, match="bytes as the dataset is stored") as raised:
        take_csv(tmp_path, csv_text(rows=400, text=said, **MORE), max_characters=8192)
    assert raised.value.reason == "too_large"
