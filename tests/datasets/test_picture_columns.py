"""Columns of pictures over HTTP: derived datasets, groups, slices."""

from typing import Any

import numpy as np
import pytest

from tests.datasets.derived import House
from tests.datasets.test_derived_tables import columns, rows
from tests.intake.pictures.test_columns import ROWS, files
from tests.jobs.requests import problem, spec
from tests.picture_files import zipped

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def photos(house: House) -> dict[str, Any]:
    found = house.upload({"photos.zip": zipped(files())})
    assert found["status"] == "ready", found["error"]
    return found


def test_a_part_has_its_own_rows(house: House, photos: dict[str, Any]) -> None:
    part = house.derive(photos["id"], where={"site": ["Rome"]})
    assert part["status"] == "ready", part["error"]
    assert sum(part["schema"]["splits"].values()) == 16
    assert set(rows(house, part)["site"].to_pylist()) == {"Rome"}
    assert columns(part)["file_name"] == ("image", "id")


def test_patients_are_kept_together_when_it_is_split_anew(
    house: House, photos: dict[str, Any]
) -> None:
    part = house.derive(photos["id"], split={"group": "patient", "test_fraction": 0.25})
    assert part["status"] == "ready", part["error"]
    patients = rows(house, part)["patient"].to_pylist()
    first = part["schema"]["splits"]["train"]
    assert part["schema"]["splits"] == {"train": 30, "test": 10}
    assert not set(patients[:first]) & set(patients[first:])
    rome = house.derive(photos["id"], split={"where": {"site": ["Rome"]}})
    assert rome["schema"]["splits"] == {"train": 24, "test": 16}
    assert set(rows(house, rome)["site"].to_pylist()[24:]) == {"Rome"}


def test_a_job_has_slices_of_columns(house: House, photos: dict[str, Any]) -> None:
    body = spec(photos["id"], photos["id"], evaluation={"seeds": 1, "slices": ["site", "age"]})
    answer = house.client.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    body["evaluation"]["slices"] = ["file_name"]
    refused = problem(house.client.post("/v1/jobs", json=body), 422, "column_without_slices")
    assert refused["errors"][0]["pointer"] == "#/evaluation/slices/0"


def test_patients_that_the_upload_named_are_kept_together_without_a_word(house: House) -> None:
    found = house.upload({"photos.zip": zipped(files())}, columns={"patient": {"role": "group"}})
    assert found["status"] == "ready", found["error"]
    for choice in ({}, {"columns": ["site"]}):
        part = house.derive(found["id"], split={"test_fraction": 0.25, "seed": 2}, **choice)
        assert part["status"] == "ready", part["error"]
        assert columns(part)["patient"][1] == "group"
        patients = rows(house, part)["patient"].to_pylist()
        first = part["schema"]["splits"]["train"]
        assert not set(patients[:first]) & set(patients[first:])
    other = house.derive(found["id"], split={"group": "site", "test_fraction": 0.4})
    assert (columns(other)["site"][1], columns(other)["patient"][1]) == ("group", "ignored")


def test_patients_of_whom_some_have_no_label_are_kept_together(house: House) -> None:
    """Of quantities too, whose mean the missing ones would make unknown."""
    held = [dict(row) for row in ROWS]
    for place, row in enumerate(held):
        row["label"] = "" if place % 3 else f"{place / 2 + 0.25}"
    said = {"task": "regression", "columns": {"patient": {"role": "group"}}}
    found = house.upload({"photos.zip": zipped(files(held))}, **said)
    assert found["status"] == "ready", found["error"]
    part = house.derive(found["id"], split={"test_fraction": 0.25})
    assert part["status"] == "ready", part["error"]
    assert part["profile"]["labelled"]["test"] == part["schema"]["splits"]["test"] > 0
    patients = rows(house, part)["patient"].to_pylist()
    first = part["schema"]["splits"]["train"]
    assert not set(patients[:first]) & set(patients[first:])
    assert np.isnan(house.array(part["id"], "y_train")).any()
