"""Source and target on different scales: a warning before the job, and in its report."""

from typing import Any

import httpx
import pytest

from app.database import Database
from app.jobs.repository import get
from app.spec.job_warnings import OWN_SOURCE
from app.spec.scales import PixelScale, scale_warnings
from app.tables.datasets import DatasetRow
from tests.jobs.factories import SCHEMA
from tests.jobs.requests import LOCAL, dataset, spec

BYTES = PixelScale(0, 255, (0, 255))
DARK = PixelScale(0, 82, (0, 255))
BRIGHT = PixelScale(145, 255, (0, 255))
UNIT = PixelScale(0, 1, (0, 1))
DIVIDED = PixelScale(0, 1, (0, 255))
SIXTEEN = PixelScale(0, 51400, (0, 65535))
MIRRORED = PixelScale(-1, 1, (-1, 1))
STANDARDISED = PixelScale(-0.42, 2.8, (-0.42, 2.8))
BLACK = PixelScale(0, 0, (0, 255))


@pytest.mark.parametrize("other", [BYTES, DARK, BRIGHT, UNIT, SIXTEEN, MIRRORED, BLACK])
def test_pictures_that_mean_the_same(other: PixelScale) -> None:
    assert scale_warnings([BYTES], other) == ()
    assert scale_warnings([other], BYTES) == ()


@pytest.mark.parametrize("other", [DIVIDED, STANDARDISED, PixelScale(0, 20000, (0, 255))])
def test_pictures_on_another_scale(other: PixelScale) -> None:
    for source, target in ((BYTES, other), (other, BYTES), (UNIT, other)):
        (said,) = scale_warnings([source], target)
        assert said.startswith("The source and the target seem to be on different scales")
        assert str(source) in said
        assert str(target) in said
    assert scale_warnings([other], other) == ()


def test_the_sources_are_told_apart_and_models_have_no_values() -> None:
    (said,) = scale_warnings([BYTES, None, DIVIDED], BYTES)
    assert said.startswith("Source 3 and the target seem")
    assert "values from 0 to 1, of which 0 to 255 become 0 to 1 in the source" in said
    assert scale_warnings([None], DIVIDED) == ()
    assert scale_warnings([BYTES], None) == ()


def test_what_an_earlier_release_took_in_fills_its_range() -> None:
    assert PixelScale.of(SCHEMA) == PixelScale.of(SCHEMA, {"warnings": []}) == BYTES
    assert PixelScale.of(SCHEMA, {"values": {"train": {"low": 0, "high": 1}}}) == DIVIDED


def test_a_job_is_warned_and_remembers_it(
    client: httpx.Client, database: Database, body: dict[str, Any]
) -> None:
    own = {**body, "sources": [{"dataset": body["target"]["dataset"]}]}
    assert client.post("/v1/jobs:validate", json=own).json()["warnings"] == [OWN_SOURCE]
    target = dataset(database)
    with database.write() as session:
        row = session.get_one(DatasetRow, target)
        row.profile = {"values": {"train": {"low": 0, "high": 1}}}
    body = spec(dataset(database), target)
    (said,) = client.post("/v1/jobs:validate", json=body).json()["warnings"]
    assert "different scales" in said
    job_id = client.post("/v1/jobs", json=body).json()["id"]
    with database.read() as session:
        assert get(session, LOCAL, job_id).spec["warnings"] == [said]
    assert client.post("/v1/jobs:validate", json={**body, "sources": [{"dataset": target}]}).json()[
        "warnings"
    ] == [OWN_SOURCE]
