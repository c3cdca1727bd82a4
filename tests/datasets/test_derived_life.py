"""What a derived dataset asks of its origin, of the store and of the quota until it is there."""

import pytest
from sqlalchemy import select

from app.tables.datasets import DatasetRow
from app.usage.sweep import sweep
from tests.datasets.animals import animals
from tests.datasets.derived import House
from tests.intake.test_intake import claim, row_of
from worker.intake.intake import ingest

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_an_origin_must_be_there_and_ready(house: House, origin: str) -> None:
    waiting = house.ask(origin, rows=10).json()["id"]
    answer = house.ask(waiting, rows=5)
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset_not_ready")
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["errors"][0]["pointer"] == "#/from"
    with house.database.write() as session:
        session.get_one(DatasetRow, origin).project = "another"
    answer = house.ask(origin, rows=5)
    assert (answer.status_code, answer.json()["code"]) == (404, "dataset_not_found")
    assert answer.json()["errors"][0]["pointer"] == "#/from"


def test_a_name_must_be_given(house: House, origin: str) -> None:
    answer = house.client.post("/v1/datasets", json={"from": origin, "rows": 5})
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_field")
    assert answer.json()["errors"][0]["pointer"] == "#/name"


def test_one_key_makes_one_dataset(house: House, origin: str) -> None:
    body, headers = {"name": "part", "from": origin, "rows": 5}, {"Idempotency-Key": "once"}
    first = house.client.post("/v1/datasets", json=body, headers=headers)
    assert house.client.post("/v1/datasets", json=body, headers=headers).json() == first.json()
    other = house.client.post("/v1/datasets", json={**body, "rows": 6}, headers=headers)
    assert other.json()["code"] == "idempotency_key_reused"
    with house.database.read() as session:
        assert len(session.scalars(select(DatasetRow)).all()) == 2


def test_an_origin_that_is_deleted_and_swept_is_derived_from_all_the_same(
    house: House, origin: str
) -> None:
    waiting = house.ask(origin, classes=["cat", "dog"]).json()["id"]
    assert house.client.delete(f"/v1/datasets/{origin}").status_code == 204
    at_once = house.settings.model_copy(update={"gc_grace_seconds": 0})
    sweep(house.database, at_once)
    part = house.taken_in(waiting)
    assert (part["status"], part["schema"]["splits"]["train"]) == ("ready", 20)
    freed = sweep(house.database, at_once)
    assert len(freed.files) >= 4  # the origin's arrays, which nothing names any more
    assert house.array(part["id"], "x_train").shape == (20, 4, 4, 1)


def test_a_damaged_origin_is_said_and_marked(house: House, origin: str) -> None:
    waiting = house.ask(origin, rows=10).json()["id"]
    ref = row_of(house.database, origin).arrays["x_train"]
    house.storage.local(ref).write_bytes(b"other")
    part = house.taken_in(waiting)
    assert (part["status"], part["error"]["code"]) == ("failed", "artifact_damaged")
    assert f"x_train of {origin}" in part["error"]["message"]
    assert house.client.get(f"/v1/datasets/{origin}").json()["status"] == "damaged"
    answer = house.ask(origin, rows=10)
    assert (answer.status_code, answer.json()["code"]) == (409, "artifact_damaged")


def test_it_counts_as_one_dataset_and_with_its_bytes(house: House, origin: str) -> None:
    waiting = house.ask(origin, rows=30).json()["id"]
    held = sum(house.storage.sizes(set(row_of(house.database, origin).arrays.values())).values())
    tight = house.settings.model_copy(update={"quota_bytes": held + 200})
    ingest(house.database, house.storage, tight, claim(house.database, waiting))
    error = house.client.get(f"/v1/datasets/{waiting}").json()["error"]
    assert error["code"] == "quota_exceeded"
    assert house.client.get(f"/v1/datasets/{origin}").json()["status"] == "ready"


def test_the_same_data_twice_are_said(house: House, origin: str) -> None:
    again = house.upload(animals())
    assert again["same_as"] == [{"id": origin, "name": "origin"}]
    listed = house.client.get("/v1/datasets").json()["data"]
    assert {each["id"]: [same["id"] for same in each["same_as"]] for each in listed} == {
        origin: [again["id"]],
        again["id"]: [origin],
    }
    part = house.derive(origin, rows=10)
    assert (part["status"], part["same_as"]) == ("ready", [])
    with house.database.write() as session:
        session.get_one(DatasetRow, origin).project = "another"
    assert house.client.get(f"/v1/datasets/{again['id']}").json()["same_as"] == []
