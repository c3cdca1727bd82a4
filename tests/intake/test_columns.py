"""What a column is found to be, and why."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from app.errors import WorkFailure
from tests.intake.tables import csv_text, kinds_of, rows_of, take_csv, x_of
from worker.intake.tables.kinds import infer
from worker.intake.tables.readings import Reading

UNIQUE = [f"{place * 7919 % 997:03d}x" for place in range(20)]


def kind_of(values: list[object], name: str = "c", missing: tuple[str, ...] = ()) -> str:
    column = pa.chunked_array([pa.array(values)])
    return infer(name, column, Reading(missing=missing)).kind


@pytest.mark.parametrize(
    ("values", "name", "kind"),
    [
        (["1.5", "2", "", "-3e2"], "c", "number"),
        (["1", "2", "4", "8"], "c", "number"),
        (["1", "2", "3", "4"], "c", "identifier"),
        (["7", "2", "9", "4"], "patient_id", "identifier"),
        (["7", "2", "9", "9"], "patient_id", "number"),
        (["7", "2", "9", "4"], "age", "number"),
        (["0", "1", "1", ""], "c", "flag"),
        (["0.0", "1.0", "1.0", ""], "c", "flag"),
        (["Yes", "No", "No", ""], "c", "flag"),
        (["true", "false", "true"], "c", "flag"),
        (["ja", "nein", "ja"], "c", "flag"),
        (["Non", "Oui", "Oui"], "c", "flag"),
        (["No", "Sí", "Sí"], "c", "flag"),
        (["yes", "no", "maybe"] * 2, "c", "category"),
        (["007", "012", "100", "007"], "c", "category"),
        (["nan", "1", "2", "2"], "c", "category"),
        (["inf", "1", "2", "2"], "c", "category"),
        (["1e39", "1", "2", "2"], "c", "category"),
        (["NA", "NC", "NE", "NA"], "c", "category"),
        (["2020-01-02", "2020-01-03", ""], "c", "date"),
        (["2020-01-02T10:00:00+02:00", "2020-01-02T10:00:00Z"], "c", "date"),
        (["31.01.2020", "01.02.2020"], "c", "date"),
        (["31/01/2020", "01/02/2020"], "c", "date"),
        (["01/02/2020", "03/04/2020"], "c", "text"),
        (["a7", "b9", "c3", "d1"], "c", "identifier"),
        (["a good day", "a bad day", "a day"], "c", "text"),
        (["今天天气很好", "明天天气很差", "后天天气一般"], "c", "text"),
        (["x" * 201, "y", "y"], "c", "text"),
        (["a\0", "b", "b"], "c", "text"),
        (["", "", " "], "c", "constant"),
        (["a", "a", "a"], "c", "constant"),
        (["3", "3", "3"], "c", "constant"),
        (["a", "", "a"], "c", "category"),
    ],
)
def test_kinds(values: list[object], name: str, kind: str) -> None:
    assert kind_of(values, name) == kind


def test_words_that_mean_that_nothing_is_known() -> None:
    assert kind_of(["1", "?", "?", "5"]) == "category"
    assert kind_of(["1", "?", " ? ", "5"], missing=("?",)) == "number"
    assert kind_of(["1", "?", " ? ", "5"], missing=(" ? ",)) == "number"
    column = pa.chunked_array([pa.array(["7", "-9", "-9.0", "5"])])
    reading = Reading(missing=("-9",))
    assert infer("c", column, reading).values.to_pylist() == [7, None, None, 5]


def test_nothing_but_an_empty_field_is_missing(tmp_path: Path) -> None:
    text = csv_text(city=["NA", "null", "None", ""] * 5)
    taken = take_csv(tmp_path, text)
    assert set(taken.schema.inputs.columns[1].values) == {"NA", "null", "None"}
    assert np.isnan(x_of(taken)[:, 1]).sum() + np.isnan(x_of(taken, "test")[:, 1]).sum() == 5


def test_a_word_among_numbers_is_told(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, csv_text(height=[1, 2, "?", 3.5] * 5))
    assert kinds_of(taken)["height"] == ("category", "feature")
    assert "15 of the 20 values of the column `height` are numbers" in str(taken.profile)


@pytest.mark.parametrize(
    ("values", "said", "kind"),
    [
        ([1, 2, 3, 4] * 5, "category", "category"),
        (UNIQUE, "category", "category"),
        ([2, 1] * 10, "flag", "flag"),
        (["new", "old"] * 10, "flag", "flag"),
        (["01/02/2020", "13/02/2020"] * 10, "date", "date"),
        (list(range(20)), {"kind": "number", "unit": "cm"}, "number"),
    ],
)
def test_kinds_that_are_said(tmp_path: Path, values: list, said: object, kind: str) -> None:
    taken = take_csv(tmp_path, csv_text(height=values), columns={"height": said})
    info = taken.schema.columns[0]
    assert (info.kind, info.role, info.reason) == (kind, "feature", "the spec says so")
    assert taken.schema.inputs.columns[0].unit == ("cm" if kind == "number" else "")


@pytest.mark.parametrize(
    ("values", "said"),
    [(["tall"] + [1] * 19, "number"), (["1", "2", "3", "3"] * 5, "flag"), (["x"] * 20, "date")],
)
def test_kinds_that_are_said_and_cannot_be(tmp_path: Path, values: list, said: str) -> None:
    with pytest.raises(WorkFailure) as failure:
        take_csv(tmp_path, csv_text(height=values), columns={"height": said})
    assert failure.value.reason == "wrong_type"
    assert failure.value.pointer == "#/file/height"


def test_whole_numbers_as_categories_are_written_without_a_fraction(tmp_path: Path) -> None:
    text = csv_text(city=["1.0", "2.0", "2", ""] * 5)
    city = take_csv(tmp_path, text, columns={"city": "category"}).schema.inputs.columns[1]
    assert city.values == ("2", "1")
    assert city.read(2) == city.read("2") == 0


def test_what_no_network_sees_is_told(tmp_path: Path) -> None:
    text = csv_text(row=range(20), name=UNIQUE, one=["x"] * 20, note=[f"a b {n}" for n in UNIQUE])
    taken = take_csv(tmp_path, text, columns={"city": "ignore"})
    assert kinds_of(taken) == {
        "height": ("number", "feature"),
        "city": ("category", "ignored"),
        "label": ("category", "label"),
        "row": ("identifier", "id"),
        "name": ("identifier", "id"),
        "one": ("constant", "ignored"),
        "note": ("text", "ignored"),
    }
    told = " ".join(taken.profile["warnings"])
    for name in ("row", "name", "one", "note"):
        assert f"The column `{name}` is left out:" in told
    assert "`city` is left out" not in told
    assert rows_of(taken).num_columns == 7


def test_dates_are_days_and_moments(tmp_path: Path) -> None:
    text = csv_text(height=[f"{1 + place}.02.2020" for place in range(20)])
    taken = take_csv(tmp_path, text)
    column = taken.schema.inputs.columns[0]
    assert column.format == "%d.%m.%Y"
    assert column.read("13.02.2020") in {*x_of(taken)[:, 0], *x_of(taken, "test")[:, 0]}
    assert datetime(2020, 2, 13) in rows_of(taken)["height"].to_pylist()


def test_values_without_a_training_row(tmp_path: Path) -> None:
    split = ["train"] * 15 + ["test"] * 5
    text = csv_text(
        split=split, late=[""] * 15 + ["1", "2", "3", "5", "5"], height=[3] * 15 + [4] * 5
    )
    taken = take_csv(tmp_path, text, split={"column": "split"})
    assert kinds_of(taken)["late"] == ("constant", "ignored")
    assert kinds_of(taken)["height"] == ("constant", "ignored")
    reasons = {column.name: column.reason for column in taken.schema.columns}
    assert "no value in any training row" in reasons["late"]
    assert "same value in every training row" in reasons["height"]
