"""Columns of CSV files that are read as numbers straight away: what is stored is as of text."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from app.datasets.table_spec import TableSpec
from tests.intake.archives import take
from tests.intake.tables import LIMITS, csv_text, kinds_of, rows_of, take_csv, x_of
from worker.intake.raw import RawFile
from worker.intake.tables import delimited, records
from worker.intake.tables.records import FileRows

HEIGHTS = [f"{1.5 + place / 100:.2f}" for place in range(20)]
LATE = 5_000  # a row after those that decide


def part_of(folder: Path, text: str, **spec: Any) -> FileRows:
    path = folder / "table.csv"
    path.write_text(text)
    return delimited.read(
        RawFile("table.csv", path), TableSpec.model_validate(spec), LIMITS, folder
    )


def long(last: str) -> str:
    heights = [f"{place / 7:.6f}" for place in range(LATE)] + [last, "2.5"]
    return csv_text(len(heights), height=heights)


def test_numbers_with_fractions_are_no_text(tmp_path: Path) -> None:
    part = part_of(tmp_path, csv_text(number=range(20), code=["007"] * 20))
    assert part.type_of("height") == pa.float64()
    assert {part.type_of(name) for name in ("city", "number", "code")} == {pa.string()}
    assert part.as_text is not None
    assert part.as_text().column("height").to_pylist() == HEIGHTS


@pytest.mark.parametrize(
    "spec",
    [
        {"columns": {"height": "category"}},
        {"columns": {"height": {"role": "group"}}},
        {"columns": {"height": {"missing": ["-9"]}}},
        {"target": {"column": "height"}},
        {"split": {"group": "height"}},
        {"split": {"where": {"height": [1.5]}}},
    ],
)
def test_what_its_text_is_needed_of_stays_text(tmp_path: Path, spec: dict[str, Any]) -> None:
    assert part_of(tmp_path, csv_text(), **spec).type_of("height") == pa.string()


@pytest.mark.parametrize("last", ["tall", "nan", "inf", "1e39", "1,234.5", " "])
def test_a_later_field_that_is_no_number_makes_all_text(tmp_path: Path, last: str) -> None:
    text = long(f'"{last}"')
    limits = type(LIMITS)(items=2 * LATE, bytes=2**24)
    path = tmp_path / "table.csv"
    path.write_text(text)
    part = delimited.read(RawFile("table.csv", path), TableSpec(), limits, tmp_path)
    assert part.type_of("height") == pa.string()
    assert part.column("height").to_pylist()[LATE] == last


@pytest.mark.parametrize(("sign", "delimiter"), [(".", ","), (",", ";")])
def test_what_means_missing_is_missing(tmp_path: Path, sign: str, delimiter: str) -> None:
    heights = [each.replace(".", sign) for each in HEIGHTS]
    heights[3:7] = ["", "none", "-9", f"-9{sign}0"]
    text = csv_text(height=["H"] * 20).replace(",", delimiter)
    for height in heights:
        text = text.replace("H", height, 1)
    taken = take_csv(tmp_path, text, missing=["none", "-9"])
    assert kinds_of(taken)["height"] == ("number", "feature")
    held = rows_of(taken).column("height")
    assert held.type == pa.float64()
    known = [float(each) for each in HEIGHTS if each not in HEIGHTS[3:7]]
    assert sorted(held.drop_null().to_pylist()) == known
    assert np.isnan(np.concatenate([x_of(taken), x_of(taken, "test")])).sum() == 4


def test_of_two_files_both_are_text_where_one_is(tmp_path: Path) -> None:
    files = {"train.csv": csv_text(), "test.csv": csv_text(height=["short", *HEIGHTS[1:]])}
    taken = take(tmp_path, {name: text.encode() for name, text in files.items()}, LIMITS)
    assert kinds_of(taken)["height"][0] == "category"
    assert rows_of(taken).column("height").to_pylist() == [*HEIGHTS, "short", *HEIGHTS[1:]]


def test_rows_that_are_too_many_to_be_held_are_stored_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights = [*(f"{place / 7:.6f}" for place in range(LATE)), "", "2.5"]  # of several batches
    text = csv_text(len(heights), height=heights, number=range(len(heights)))
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 2**14)
    limits = type(LIMITS)(items=2 * LATE, bytes=2**24)
    held = take_csv(tmp_path, text, limits=limits)
    found = {name: path.read_bytes() for name, path in held.arrays.items()}
    for most in (0, 2**16):  # bytes: all go to disk, or those that come later
        monkeypatch.setattr(records, "HELD_BYTES", most)
        written = take_csv(tmp_path, text, limits=limits)
        assert (written.schema, written.profile) == (held.schema, held.profile)
        assert {name: path.read_bytes() for name, path in written.arrays.items()} == found


def test_whole_numbers_stay_whole_where_float32_would_round_them(tmp_path: Path) -> None:
    counts = [2**24 + 1 + 2 * (place * 7 % 20) for place in range(20)]
    taken = take_csv(tmp_path, csv_text(people=counts))
    assert kinds_of(taken)["people"] == ("number", "feature")
    assert sorted(rows_of(taken).column("people").to_pylist()) == sorted(map(float, counts))


def test_held_rows_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not part_of(tmp_path, csv_text()).path.exists()
    monkeypatch.setattr(records, "HELD_BYTES", 0)
    assert part_of(tmp_path, csv_text()).path.exists()
