"""POST /v1/datasets with `from`, of tables some of whose rows belong together."""

import pytest

from tests.datasets.derived import House
from tests.datasets.test_derived_tables import columns, rows
from tests.intake.tables import csv_text

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_groups_stay_whatever_columns_are_chosen(house: House) -> None:
    patient = [f"p{row // 3}" for row in range(60)]
    text = csv_text(60, patient=patient, ward=["north", "south", "west"] * 20).encode()
    whole = house.upload({"t.csv": text}, split={"group": "patient"})
    assert whole["status"] == "ready", whole["error"]
    part = house.derive(whole["id"], columns=["height"], split={"seed": 5})
    assert part["status"] == "ready", part["error"]
    assert columns(part) == {
        "height": ("number", "feature"),
        "label": ("category", "label"),
        "patient": ("category", "group"),
    }
    held, first = rows(house, part)["patient"].to_pylist(), part["schema"]["splits"]["train"]
    assert not set(held[:first]) & set(held[first:])
    named = house.derive(whole["id"], columns=["height"], split={"group": "ward"})
    assert named["status"] == "ready", named["error"]
    assert (columns(named)["ward"][1], columns(named)["patient"][1]) == ("group", "ignored")
    by_ward = house.derive(whole["id"], columns=["height"], split={"where": {"ward": ["west"]}})
    assert by_ward["schema"]["splits"] == {"train": 40, "test": 20}
    assert columns(by_ward)["ward"][1] == "domain"
