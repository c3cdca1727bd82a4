"""A table becomes rows of numbers, labels, and all its columns as values."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from app.errors import WorkFailure
from app.inputs.columns import CategoryColumn, NumberColumn
from app.inputs.table import TableInputs
from tests.intake.archives import take
from tests.intake.tables import LIMITS, csv_text, kinds_of, rows_of, take_csv, x_of, y_of


def test_what_is_stored(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, csv_text())
    height, city = taken.schema.inputs.columns
    assert isinstance(height, NumberColumn)
    assert isinstance(city, CategoryColumn)
    assert taken.schema.splits == {"train": 16, "test": 4}
    assert taken.schema.classes == ("a", "b")
    x, y, rows = x_of(taken), y_of(taken), rows_of(taken)
    assert (x.dtype, x.shape, x_of(taken, "test").shape) == (np.float32, (16, 2), (4, 2))
    assert rows.column_names == ["height", "city", "label"]
    assert rows.schema.types == [pa.float64(), pa.string(), pa.string()]
    both = np.concatenate([x, x_of(taken, "test")])
    assert np.array_equal(both[:, 0], np.float32(rows["height"].to_numpy()))
    assert [city.shown(code) for code in both[:, 1]] == rows["city"].to_pylist()
    labels = np.concatenate([y, y_of(taken, "test")])
    assert [taken.schema.classes[label] for label in labels] == rows["label"].to_pylist()
    assert rows["height"].to_pylist()[:16] == sorted(rows["height"].to_pylist()[:16])


def test_only_training_rows_teach(tmp_path: Path) -> None:
    files = {
        "train.csv": csv_text(city=["Lima", "Oslo"] * 10).encode(),
        "test.csv": csv_text(4, city=["Oslo", "Rome", "Rome", ""]).encode(),
    }
    taken = take(tmp_path, files, LIMITS)
    assert taken.schema.splits == {"train": 20, "test": 4}
    assert taken.schema.inputs.columns[1].values == ("Lima", "Oslo")
    assert np.array_equal(x_of(taken, "test")[:, 1], [1, 2, 2, np.nan], equal_nan=True)
    assert rows_of(taken)["city"].to_pylist()[-4:] == ["Oslo", "Rome", "Rome", None]


def test_a_quantity(tmp_path: Path) -> None:
    text = csv_text(price=[place * 1.5 for place in range(20)], label=None)
    taken = take_csv(tmp_path, text, target={"column": "price"}, unit="USD")
    assert taken.schema.task.kind == "regression"
    assert taken.schema.task.unit == "USD"
    assert kinds_of(taken)["price"] == ("number", "label")
    prices = np.concatenate([y_of(taken), y_of(taken, "test")])
    assert np.array_equal(prices, rows_of(taken)["price"].to_numpy())


def test_several_labels(tmp_path: Path) -> None:
    text = csv_text(label=None, red=[0, 1] * 10, green=[0, 0, 1, 1] * 5)
    taken = take_csv(tmp_path, text, target={"columns": ["red", "green"]})
    assert taken.schema.task.kind == "multi_label"
    assert taken.schema.task.names == ("red", "green")
    assert y_of(taken).shape == (16, 2)


def test_no_labels(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, csv_text(label=None), target={"columns": []})
    assert not taken.schema.has_labels("train")
    assert set(y_of(taken)) == {-1}


def test_equal_tables_have_equal_hashes(tmp_path: Path) -> None:
    one, other, third = (
        take_csv(tmp_path, text)
        for text in (csv_text(), csv_text(), csv_text(city=["Lima"] * 19 + ["Oslo"]))
    )
    assert one.content_hash == other.content_hash != third.content_hash


@pytest.mark.parametrize(
    ("text", "spec", "code", "said"),
    [
        (csv_text(label=None), {}, "target_unclear", "`height`, `city`"),
        (csv_text(y=["a", "b"] * 10), {}, "target_unclear", "got `label`, `y`"),
        (csv_text(), {"target": {"column": "lable"}}, "unknown_column", "did you mean `label`?"),
        (csv_text(), {"columns": {"citi": "text"}}, "unknown_column", "did you mean `city`?"),
        (csv_text(label=["a"] * 20), {}, "one_class", "in the column `label`"),
        (csv_text(label=[f"n{place}" for place in range(20)]), {}, "unique_labels", "20 rows"),
        (csv_text(label=[""] * 20), {}, "no_labels", "got none in any row"),
        (csv_text(city=["Rome"] * 20, height=[1] * 20), {}, "no_columns", "the same value"),
        (
            csv_text(height=[*range(5, 100, 5), "inf"], city=None),
            {},
            "no_columns",
            "19 of the 20 values of the column `height` are numbers, 1 are not (`inf`)",
        ),
        (csv_text(), {"modality": "image"}, "not_a_table", "got image"),
        (csv_text(), {"value_range": [0, 1]}, "not_for_tables", "pictures alone"),
        (
            csv_text(height=["high"] + [2] * 19),
            {"columns": {"height": "number"}},
            "wrong_type",
            "got 1 of 20 values that are none, the first in line 2",
        ),
    ],
)
def test_refused(tmp_path: Path, text: str, spec: dict, code: str, said: str) -> None:
    with pytest.raises(WorkFailure, match="expected") as failure:
        take_csv(tmp_path, text, **spec)
    assert failure.value.reason == code
    assert said in failure.value.detail
    assert "y_train" not in failure.value.detail
    assert "high" not in failure.value.detail


def test_names_that_every_training_row_has_never_miss(tmp_path: Path) -> None:
    """A network that saw no row without a city cannot know what it means that one is missing."""
    held = {"smokes": ["yes", "no"] * 10, "sex": ["m", "f", ""] * 6 + ["m", "f"]}
    taken = take_csv(tmp_path, csv_text(**held))
    assert isinstance(taken.schema.inputs, TableInputs)
    misses = {column.name: column.misses for column in taken.schema.inputs.columns}
    assert misses == {"height": False, "city": False, "smokes": False, "sex": True}
    gap = take_csv(tmp_path, csv_text(smokes=["", *["yes", "no"] * 9, "yes"]), test_fraction=0.1)
    assert isinstance(gap.schema.inputs, TableInputs)
    first = rows_of(gap)["smokes"].to_pylist()[: gap.schema.splits["train"]]
    assert gap.schema.inputs.columns[2].misses == (None in first)
