"""Jobs as a client asks for them, and the answers that refuse."""

from typing import Any

import httpx

from app.database import Database
from app.tables.datasets import DatasetRow
from tests.jobs.factories import SCHEMA, add_dataset
from tests.schemas import changed

LOCAL = "default"  # the project of who needs no key


def dataset(database: Database, status: str = "ready", **changes: Any) -> str:
    dataset_id = add_dataset(database, status, LOCAL)
    if changes:
        schema = changed(SCHEMA, **changes)
        with database.write() as session:
            session.get_one(DatasetRow, dataset_id).schema = schema.model_dump(mode="json")
    return dataset_id


def spec(source: str, target: str, /, **changes: Any) -> dict[str, Any]:
    return {
        "sources": [{"dataset": source}],
        "target": {"dataset": target},
        "model": {"backbone": "mlp"},
        "strategies": ["fine_tune"],
        "training": {"min_steps": 0, "augmentation": None},  # so that steps can be counted by hand
        "evaluation": {"seeds": 1},
        **changes,
    }


def submit(client: httpx.Client, body: dict[str, Any]) -> str:
    answer = client.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["code"] == code
    return found
