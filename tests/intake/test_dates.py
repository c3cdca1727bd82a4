"""Dates in other forms than ISO 8601 has: said, or told that they have to be."""

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
