"""Rows of the same patients, where nobody said so."""

import json
import re
from pathlib import Path

import pytest

from tests.intake.tables import csv_text, take_csv

ROWS = 100
VISITS = [f"p{row // 5}" for row in range(ROWS)]


def warned(folder: Path, spec: dict[str, object] | None = None, **columns: object) -> list[str]:
    text = csv_text(ROWS, **columns)  # type: ignore[arg-type]
    found = take_csv(folder, text, **(spec or {})).profile["warnings"]
    return [said for said in found if "belong together" in said]


@pytest.mark.parametrize(
    "name",
    ["patient", "patient_id", "PatientID", "Subject No", "mrn", "患者", "house_id", "患者id"],
)
def test_whom_rows_are_of_is_asked(tmp_path: Path, name: str) -> None:
    (said,) = warned(tmp_path, **{name: VISITS})
    assert said.startswith(f"The column `{name}` has 20 values in 100 rows, up to 5 of one, and ")
    assert " of 20 test rows have one that training rows have" in said


def test_numbers_that_name_patients_are_seen_too(tmp_path: Path) -> None:
    numbers = [1000 + row // 5 for row in range(ROWS)]
    (said,) = warned(tmp_path, patient_id=numbers)
    assert "20 values" in said


def test_following_the_advice_leads_out(tmp_path: Path) -> None:
    (said,) = warned(tmp_path, patient=VISITS)
    (split,) = re.findall(r"`split`: (\{.*?\})", said)
    text = csv_text(ROWS, patient=VISITS)
    taken = take_csv(tmp_path, text, split=json.loads(split))
    assert not any("belong together" in each for each in taken.profile["warnings"])
    assert taken.profile["groups_across_splits"] == 0


@pytest.mark.parametrize(
    "columns",
    [
        {"patient": [f"p{row}" for row in range(ROWS)]},  # each once
        {"patient": ["p1", "p2"] * 50},  # a flag, or two arms
        {"patient": [f"p{row}" if row < 15 else "" for row in range(ROWS)]},  # mostly missing
        {"town_id": [f"t{row % 8}" for row in range(ROWS)]},
        {"inpatient_days": [row % 9 for row in range(ROWS)]},
        {"paid": [row % 9 for row in range(ROWS)]},
        {"height": VISITS},
    ],
)
def test_what_names_nobody_is_not_asked(tmp_path: Path, columns: dict[str, list[object]]) -> None:
    assert warned(tmp_path, **columns) == []


def test_who_says_what_it_is_is_not_asked(tmp_path: Path) -> None:
    said = {"columns": {"patient": {"role": "feature", "kind": "category"}}}
    assert warned(tmp_path, spec=said, patient=VISITS) == []
