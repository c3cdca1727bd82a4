"""Tables that nobody saves by accident, and what a tired person saves: each is a dataset, or a
reason that a person can act upon."""

import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import ipc, parquet
from pydantic import ValidationError

from app.datasets.table_spec import CsvSpec
from app.errors import FailureCode, WorkFailure
from tests.intake.tables import csv_text, kinds_of, rows_of, take_csv
from worker.intake.ingested import IngestedDataset

ROWS = 20
LABELS = [("a", "b")[place % 2] for place in range(ROWS)]
HEIGHTS = [float(place % 7) for place in range(ROWS)]


def parquet_bytes(**columns: Any) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pa.table({"label": LABELS, "height": HEIGHTS, **columns}), stream)
    return stream.getvalue()


def arrow_bytes(**columns: Any) -> bytes:
    stream, table = io.BytesIO(), pa.table({"label": LABELS, "height": HEIGHTS, **columns})
    with ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue()


def take_typed(folder: Path, suffix: str, **columns: Any) -> IngestedDataset:
    content = (parquet_bytes if suffix == "parquet" else arrow_bytes)(**columns)
    return take_csv(folder, content, f"table.{suffix}")


def warned(taken: IngestedDataset) -> str:
    return " ".join(taken.profile["warnings"])


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["1.7e400", *range(1, ROWS)], "19 of the 20 values of the column `x` are numbers"),
        (["?", *(place * 1.7 for place in range(1, ROWS))], "(`?`): it is taken for an identifier"),
        ([f"2024-01-{day:02}" for day in range(11, 30)] + ["2024-02-30"], "are dates, 1 are not"),
        (["unknown", *(f"2024-01-{day:02}" for day in range(11, 30))], "(`unknown`)"),
    ],
)
def test_a_few_fields_do_not_cost_a_column_quietly(
    tmp_path: Path, values: list[Any], told: str
) -> None:
    taken = take_csv(tmp_path, csv_text(x=values))
    assert kinds_of(taken)["x"] == ("identifier", "id")
    assert told in warned(taken)
    assert "name them in the spec's `missing`" in warned(taken)


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
@pytest.mark.parametrize("value", [float("inf"), -float("inf"), 1e300])
def test_typed_numbers_that_float32_cannot_hold(tmp_path: Path, suffix: str, value: float) -> None:
    x = [*HEIGHTS[:-1], value]
    with pytest.raises(WorkFailure, match="got 1 of 20 values that are none, the first in row 19"):
        take_typed(tmp_path, suffix, x=x)
    with pytest.raises(WorkFailure, match="quantity is learnt, as most of its rows have, got 1 o"):
        take_typed(tmp_path, suffix, label=x)
    ignored = take_csv(tmp_path, parquet_bytes(x=x), "t.parquet", columns={"x": "ignore"})
    assert kinds_of(ignored)["x"] == ("number", "ignored")


def test_long_decimals(tmp_path: Path) -> None:
    kind = pa.decimal256(70, 0)
    x = pa.array([Decimal("9" * 69), *map(Decimal, range(1, ROWS))], kind)
    with pytest.raises(WorkFailure, match=r"expected numbers from -1e\+37 to 1e\+37"):
        take_typed(tmp_path, "parquet", x=x)


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_dates_beyond_the_calendar(tmp_path: Path, suffix: str) -> None:
    x = pa.array([2**31 - 1 - place for place in range(ROWS)], pa.int32()).cast(pa.date32())
    with pytest.raises(
        WorkFailure, match="expected dates in the years 1 to 9999 in the column `x`"
    ):
        take_typed(tmp_path, suffix, x=x)
    last = pa.array([date(9999, 12, 31), *[date(1, 1, 1)] * 19])
    assert kinds_of(take_typed(tmp_path, suffix, x=last))["x"] == ("date", "feature")


def test_numbers_of_many_digits_tell_things_apart(tmp_path: Path) -> None:
    accounts = [2**62 + 7 * (place // 2) for place in range(ROWS)]
    for taken in (
        take_typed(tmp_path, "parquet", x=accounts),
        take_csv(tmp_path, csv_text(x=accounts)),
    ):
        assert kinds_of(taken)["x"] == ("identifier", "id")
        assert "more digits than a number is kept with" in warned(taken)


@pytest.mark.parametrize("value", [2**63, 2**64 - 1, 2**63 - 1, 10**30])
def test_large_whole_numbers_in_json(tmp_path: Path, value: int) -> None:
    lines = [f'{{"label": "{label}", "x": {place % 7}}}' for place, label in enumerate(LABELS)]
    text = "\n".join([*lines, f'{{"label": "a", "x": {value}}}'])
    assert kinds_of(take_csv(tmp_path, text, "t.jsonl"))["x"] == ("number", "feature")


@pytest.mark.parametrize("name", ["", " "])
def test_blank_names(tmp_path: Path, name: str) -> None:
    for suffix in ("parquet", "arrow"):
        with pytest.raises(WorkFailure, match="got a blank one in place 3 of 3"):
            take_typed(tmp_path, suffix, **{name: HEIGHTS})
    lines = [f'{{"{name}": {place}, "label": "{label}"}}' for place, label in enumerate(LABELS)]
    with pytest.raises(WorkFailure, match="got a blank one in place 1 of 2"):
        take_csv(tmp_path, "\n".join(lines), "t.jsonl")


def test_a_price_that_is_none(tmp_path: Path) -> None:
    prices = ["n/a", *(100_000 + 7919 * place for place in range(1, ROWS))]
    with pytest.raises(WorkFailure, match="the first in line 2; where they mean"):
        take_csv(tmp_path, csv_text(label=prices))
    lone = list(range(ROWS))
    with pytest.raises(WorkFailure, match='say `task`: "regression"'):
        take_csv(tmp_path, csv_text(label=lone))


@pytest.mark.parametrize(
    "encoding", ["undefined", "punycode", "idna", "unicode_escape", "raw-unicode-escape", "UTF-7"]
)
def test_what_python_calls_an_encoding_and_no_file_is_in(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(WorkFailure, match="got one that is not known"):
        take_csv(tmp_path, csv_text(city=["\\ud800"] * ROWS), csv={"encoding": encoding})


@pytest.mark.parametrize("delimiter", ["é", "😀", '"', "\n", "\r"])
def test_delimiters_that_tell_nothing_apart(delimiter: str) -> None:
    with pytest.raises(ValidationError, match="expected a character of ASCII"):
        CsvSpec(delimiter=delimiter)


@pytest.mark.parametrize("said", ["ignore", {"role": "feature"}, {"role": "group"}])
def test_labels_with_another_role(tmp_path: Path, said: Any) -> None:
    """What the spec says of a column is never passed over for its name."""
    columns = {"label": said}
    with pytest.raises(WorkFailure, match="got none among"):
        take_csv(tmp_path, csv_text(), columns=columns)
    with pytest.raises(WorkFailure, match="no other role for the column `label`"):
        take_csv(tmp_path, csv_text(), columns=columns, target={"column": "label"})
    taken = take_csv(tmp_path, csv_text(y=LABELS), columns=columns)
    assert kinds_of(taken)["y"] == ("category", "label")


@pytest.mark.parametrize("name", ["table.txt", "table.xls", "table.sav", "table.json", "table"])
def test_files_of_other_programs(tmp_path: Path, name: str) -> None:
    with pytest.raises(WorkFailure, match="save a sheet of another program as CSV"):
        take_csv(tmp_path, csv_text(), name)


def test_groups_of_labels(tmp_path: Path) -> None:
    with pytest.raises(WorkFailure, match="each class would stand in one split alone"):
        take_csv(tmp_path, csv_text(), split={"group": "label"})


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_files_are_refused(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: Any
) -> None:
    content = bytearray((parquet_bytes if suffix == "parquet" else arrow_bytes)(x=LABELS))
    for place in data.draw(st.lists(st.integers(6, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    refused_or_taken(tmp_path_factory.mktemp("damaged"), bytes(content), f"t.{suffix}")


FIELDS = st.text(alphabet="01.,-+eE \"'\0\u202e\u00e9/~;\t?naN", max_size=8)


@given(table=st.lists(st.tuples(FIELDS, FIELDS, st.sampled_from("ab")), max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_fields_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, ...]]
) -> None:
    lines = ["x,y,label", *(",".join(_quoted(field) for field in row) for row in table)]
    text = "\n".join(lines).encode()
    refused_or_taken(tmp_path_factory.mktemp("any"), text, "t.csv")


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'


def refused_or_taken(folder: Path, content: bytes, name: str) -> None:
    try:
        taken = take_csv(folder, content, name)
    except WorkFailure as refusal:
        failure: WorkFailure | None = refusal
    else:
        failure = None
    if failure is not None:
        assert failure.code is FailureCode.DATASET_INVALID
        assert failure.reason
        return
    x = np.load(taken.arrays["x_train"])
    assert not np.isinf(x).any()
    assert len(x) == taken.schema.splits["train"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([f"{place}.5-" for place in range(ROWS)], "`0.5-`"),
        ([f"({place}.5)" for place in range(ROWS)], "`(0.5)`"),
        ([f'"1,{place + 10},100.50"' for place in range(ROWS)], "`1,10,100.50`"),
        ([f'"1.2{place + 10},5"' for place in range(ROWS)], "`1.210,5`"),
    ],
)
def test_numbers_in_ways_that_are_not_read_are_told(
    tmp_path: Path, values: list[str], told: str
) -> None:
    taken = take_csv(tmp_path, csv_text(x=values))
    assert kinds_of(taken)["x"][1] == "id"
    assert f"look like numbers, but not all are written as one that is read, as {told}" in (
        warned(taken)
    )


def test_a_minus_that_is_no_hyphen_and_thin_spaces(tmp_path: Path) -> None:
    written = [f"\u22121\u2009{place * 7 % 11:03}.5" for place in range(ROWS)]
    weights = [f"\u2212{place * 3 % 7}.5 kg" for place in range(ROWS)]
    rows = rows_of(take_csv(tmp_path, csv_text(x=written, weight=weights)))
    assert min(rows["x"].to_pylist()) == -1010.5
    assert set(rows["weight"].to_pylist()) == {-(place + 0.5) for place in range(7)}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_labels_of_many_digits_stay_apart(tmp_path: Path, suffix: str) -> None:
    """Codes such as SNOMED's, of which float64 holds every second one."""
    codes = [10**16 + place % 2 for place in range(ROWS)]
    text, typed = csv_text(label=codes), parquet_bytes(label=codes)
    taken = take_csv(tmp_path, text if suffix == "csv" else typed, f"table.{suffix}")
    assert taken.schema.classes == (str(10**16), str(10**16 + 1))
    assert taken.schema.class_counts["train"] == (8, 8)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_fractions_are_classes_where_the_spec_says_so(tmp_path: Path, suffix: str) -> None:
    """As the warning of a table whose half stars became quantities advises."""
    stars = [0.5, 1.0, 1.5, 10.0] * 5
    text = csv_text(label=stars).replace(",1.5\n", ",1.50\n", 1)
    content = text if suffix == "csv" else parquet_bytes(label=stars)
    taken = take_csv(tmp_path, content, f"table.{suffix}")
    assert taken.schema.task.kind == "regression"
    assert '`task`: "classification" in the spec takes them for classes' in warned(taken)
    taken = take_csv(tmp_path, content, f"table.{suffix}", task="classification")
    assert taken.schema.classes == ("0.5", "1", "1.5", "10")


@pytest.mark.parametrize("value", [10**400, 2**63, 1e308])
@pytest.mark.parametrize("column", ["height", "city"])
def test_numbers_beyond_all_in_where(tmp_path: Path, column: str, value: float) -> None:
    with pytest.raises(WorkFailure, match="values in `where` that rows of the column"):
        take_csv(tmp_path, csv_text(), split={"where": {column: [value]}})


def test_whole_numbers_of_a_file_with_types_are_told_apart_in_where(tmp_path: Path) -> None:
    keys = [2**60 + place // 5 for place in range(ROWS)]
    taken = take_csv(
        tmp_path, parquet_bytes(key=keys), "table.parquet", split={"where": {"key": [2**60 + 1]}}
    )
    assert taken.schema.splits == {"train": 15, "test": 5}
