"""What happens between the check of a job and its writing down."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.database import Database, now
from app.jobs import acceptance
from app.jobs.acceptance import Accepted
from app.tables.datasets import DatasetRow
from tests.jobs.requests import problem


@pytest.fixture
def after_check(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Lets something happen when a job has been checked and its check has not returned."""
    check = acceptance.check

    def happen(event: Callable[[], None]) -> None:
        def checked(*arguments: Any) -> Accepted:
            accepted = check(*arguments)
            event()
            return accepted

        monkeypatch.setattr(acceptance, "check", checked)

    return happen


def _renamed(database: Database, body: dict[str, Any], **columns: Any) -> None:
    with database.write() as session:
        row = session.get_one(DatasetRow, body["target"]["dataset"])
        for name, value in columns.items():
            setattr(row, name, value)


def test_others_write_while_a_job_is_checked(
    client: httpx.Client, database: Database, body: dict[str, Any], after_check: Any
) -> None:
    after_check(lambda: _renamed(database, body, name="written meanwhile"))
    assert client.post("/v1/jobs", json=body).status_code == 202
    shown = client.get(f"/v1/datasets/{body['target']['dataset']}").json()
    assert shown["name"] == "written meanwhile"


def test_a_dataset_deleted_after_the_check_is_unknown(
    client: httpx.Client, database: Database, body: dict[str, Any], after_check: Any
) -> None:
    after_check(lambda: _renamed(database, body, deleted_at=now()))
    refused = problem(client.post("/v1/jobs", json=body), 422, "unknown_dataset")
    assert refused["errors"][0]["pointer"] == "#/target/dataset"
    assert client.get("/v1/jobs").json()["data"] == []


def test_a_key_repeats_its_answer_though_the_dataset_is_gone(
    client: httpx.Client, database: Database, body: dict[str, Any]
) -> None:
    headers = {"Idempotency-Key": "once"}
    first = client.post("/v1/jobs", json=body, headers=headers)
    _renamed(database, body, deleted_at=now())
    again = client.post("/v1/jobs", json=body, headers=headers)
    assert (again.status_code, again.json()) == (202, first.json())
