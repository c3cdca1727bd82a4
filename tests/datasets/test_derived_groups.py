"""POST /v1/datasets with `from`, of tables some of whose rows belong together."""

import pytest

from tests.datasets.derived import House
from tests.datasets.test_derived_tables import columns, rows
from tests.intake.pictures.test_columns import ROWS, files
from tests.intake.tables import csv_text
from tests.picture_files import zipped

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


def test_what_cannot_be_cut_points_into_the_body(house: House) -> None:
    """Nobody sent a file."""
    age = ["" if row % 5 == 0 else str(20 + row) for row in range(60)]
    text = csv_text(60, age=age, patient=[f"p{row // 3}" for row in range(60)]).encode()
    whole = house.upload({"t.csv": text}, columns={"patient": {"role": "group"}})["id"]
    for choice, code, pointer in (
        ({"split": {"time": "age"}}, "no_times", "#/split"),
        ({"columns": ["city"], "where": {"city": ["Rome"]}}, "no_columns", "#/columns"),
        ({"columns": ["age"], "where": {"age": [None]}, "split": {}}, "no_columns", "#/columns"),
    ):
        failed = house.derive(whole, **choice)
        assert (failed["status"], failed["error"]["code"]) == ("failed", code), failed
        assert failed["error"]["param"] == pointer


def test_a_class_that_groups_take_away_is_called_by_its_name(house: House) -> None:
    held = [dict(row) for row in ROWS if row["patient"] in {"P0", "P1", "P2"}]
    for row in held:
        row["label"] = {"P0": "cat", "P1": "dog", "P2": "eel"}[row["patient"]]
    found = house.upload({"photos.zip": zipped(files(held))}, columns={"patient": {"role": "id"}})
    assert found["status"] == "ready", found["error"]
    failed = house.derive(found["id"], split={"group": "patient"})
    assert (failed["error"]["code"], failed["error"]["param"]) == ("unknown_class", "#/split")
    assert any(
        f"got none of `{name}`" in failed["error"]["message"] for name in ("cat", "dog", "eel")
    )
