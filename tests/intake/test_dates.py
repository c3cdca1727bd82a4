"""Dates in other forms than ISO 8601 has: said, or told that they have to be."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from app.datasets.table_spec import ColumnSpec
from app.errors import WorkFailure
from app.inputs.columns import DateColumn
from tests.intake.tables import csv_text, kinds_of, rows_of, take_csv, x_of

BORN = [f"{1 + place % 9:02d}/{1 + place % 12:02d}/2026" for place in range(20)]


def said(form: str | None) -> dict[str, Any]:
    return {"born": {"kind": "date"} | ({"format": form} if form else {})}


def days(taken: Any) -> list[str]:
    return sorted(f"{each:%Y-%m-%d}" for each in rows_of(taken)["born"].to_pylist() if each)


def test_day_and_month_that_cannot_be_told_apart(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, csv_text(born=BORN))
    assert kinds_of(taken)["born"] == ("text", "ignored")
    cure = '`columns`: {"born": {"kind": "date", "format": "%d/%m/%Y"}} in the spec'
    told = "\n".join(taken.profile["warnings"])
    assert "can be read as %d/%m/%Y or %m/%d/%Y" in told
    assert cure in told
    with pytest.raises(WorkFailure, match="expected dates") as refused:
        take_csv(tmp_path, csv_text(born=BORN), columns=said(None))
    assert cure in refused.value.detail


@pytest.mark.parametrize(("form", "order"), [("%d/%m/%Y", (0, 1)), ("%m/%d/%Y", (1, 0))])
def test_a_form_that_is_said(tmp_path: Path, form: str, order: tuple[int, int]) -> None:
    taken = take_csv(tmp_path, csv_text(born=BORN), columns=said(form))
    parts = [each.split("/") for each in BORN]
    assert days(taken) == sorted(f"2026-{each[order[1]]}-{each[order[0]]}" for each in parts)
    column = next(c for c in taken.schema.inputs.columns if c.name == "born")
    assert isinstance(column, DateColumn)
    assert column.format == form
    read = [column.read(each) for each in BORN]
    place = [c.name for c in taken.schema.inputs.columns].index("born")
    stored = np.concatenate([x_of(taken)[:, place], x_of(taken, "test")[:, place]])
    assert sorted(stored.tolist()) == sorted(np.float32(read).tolist())


def test_a_field_of_another_form(tmp_path: Path) -> None:
    born = [*BORN[:6], "2026-01-01", *BORN[7:]]
    with pytest.raises(WorkFailure) as refused:
        take_csv(tmp_path, csv_text(born=born), columns=said("%d/%m/%Y"))
    assert "got 1 of 20 values that are none, the first in line 8" in refused.value.detail
    assert "dates in the form %d/%m/%Y" in refused.value.detail
    assert "2026-01-01" not in refused.value.detail


def test_missing_dates(tmp_path: Path) -> None:
    born = [*BORN[:6], "", "never", *BORN[8:]]
    taken = take_csv(tmp_path, csv_text(born=born), columns=said("%d/%m/%Y"), missing=["never"])
    assert len(days(taken)) == 18


@pytest.mark.parametrize("form", ["", "%Y", "day", "%d.%m", "%d.%m.%Y %Q", "%x", "%d.%m.%Y %"])
def test_what_is_no_form_of_dates(form: str) -> None:
    with pytest.raises(ValidationError, match="expected"):
        ColumnSpec(kind="date", format=form)


def test_only_dates_have_a_form() -> None:
    with pytest.raises(ValidationError, match='beside the `kind` "date"'):
        ColumnSpec(kind="number", format="%d.%m.%Y")


@pytest.mark.parametrize(
    ("written", "form", "day"),
    [
        ("{d}.{m:02}.26", "%d.%m.%y", "2026-03-14"),
        ("{d}.{m}.99", "%d.%m.%y", "1999-03-14"),
        ("{m}/{d}/26", "%m/%d/%y", "2026-03-14"),
        ("{m}/{d}/2026 3:05 PM", "%m/%d/%Y %I:%M %p", "2026-03-14"),
        ("2026.{m}.{d}", "%Y.%m.%d", "2026-03-14"),
        ("2026-{m}-{d}", "%Y-%m-%d", "2026-03-14"),
        ("2026/{m}/{d} 15:05", "%Y/%m/%d %H:%M", "2026-03-14"),
    ],
)
def test_forms_of_spreadsheets(tmp_path: Path, written: str, form: str, day: str) -> None:
    born = [written.format(d=14 + place % 9, m=3) for place in range(20)]
    taken = take_csv(tmp_path, csv_text(born=born))
    assert kinds_of(taken)["born"] == ("date", "feature")
    assert days(taken)[0] == day
    column = next(c for c in taken.schema.inputs.columns if c.name == "born")
    assert isinstance(column, DateColumn)
    assert column.format == form
    hour = 15 + 5 / 60 if "05" in written else 0.0
    since = (date.fromisoformat(day) - date(1970, 1, 1)).days + hour / 24
    assert column.read(born[0]) == pytest.approx(since)  # as an endpoint does


@pytest.mark.parametrize("wrong", ["30.02.2026", "31.04.2026", "3.3.26", "29.02.2025"])
def test_what_c_reads_as_another_date_is_none(tmp_path: Path, wrong: str) -> None:
    born = ["01.03.2026", wrong, *(f"{14 + place % 9}.03.2026" for place in range(18))]
    taken = take_csv(tmp_path, csv_text(born=born))
    assert kinds_of(taken)["born"][0] == "category"
    assert "look like dates, but no one form fits" in " ".join(taken.profile["warnings"])
    with pytest.raises(WorkFailure) as refused:
        take_csv(tmp_path, csv_text(born=born), columns=said("%d.%m.%Y"))
    assert "got 1 of 20 values that are none, the first in line 3" in refused.value.detail
    taken = take_csv(tmp_path, csv_text(born=born), columns=said("%d.%m.%Y"), missing=[wrong])
    assert len(days(taken)) == 19


def test_dates_are_split_by_their_years_and_not_by_two_digits(tmp_path: Path) -> None:
    """1999 before 2005."""
    born = [f"{14 + place % 9}.03.{year}" for place, year in enumerate(["99"] * 14 + ["05"] * 6)]
    taken = take_csv(tmp_path, csv_text(born=born), split={"time": "born"})
    cut = taken.schema.splits["train"]
    every = [each.year for each in rows_of(taken)["born"].to_pylist()]
    assert max(every[:cut]) <= min(every[cut:]) == 2005


@pytest.mark.parametrize(
    "born",
    [
        [f"2026-03-{day}" if day % 2 else f"{day}/03/2026" for day in range(11, 31)],
        [f"2026-03-{day}T10:00:00{'Z' if day % 2 else ''}" for day in range(11, 31)],
    ],
)
def test_dates_in_several_forms_are_told(tmp_path: Path, born: list[str]) -> None:
    taken = take_csv(tmp_path, csv_text(born=born))
    assert kinds_of(taken)["born"][0] == "identifier"
    assert "`born` look like dates, but no one form" in " ".join(taken.profile["warnings"])


@pytest.mark.parametrize("values", [[f"1.{n}.{n % 7}" for n in range(20)], ["10.0.0.1"] * 20])
def test_versions_and_addresses_are_no_dates(tmp_path: Path, values: list[str]) -> None:
    taken = take_csv(tmp_path, csv_text(at=[*values[:19], "none"]))
    assert "look like" not in " ".join(taken.profile["warnings"])
