"""Names in place of ids, as clients use them."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from app.database import Database
from app.identifiers import new_id
from app.main import create_app
from app.settings import Settings
from app.tables.models import ModelRow
from tests.jobs.factories import add_dataset
from tests.jobs.requests import LOCAL, problem, spec, submit
from tests.serving import serve


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    url = database.engine.url.render_as_string(hide_password=False)
    changed = settings.model_copy(update={"database_url": url, "broker_url": "memory://"})
    with serve(create_app(changed)) as client:
        yield client


@pytest.fixture
def named(database: Database) -> dict[str, str]:
    """Ids of datasets by their names; another project has the same names."""
    for name in ("digits", "my letters"):
        add_dataset(database, project="another", name=name)
    return {
        name: add_dataset(database, project=LOCAL, name=name) for name in ("digits", "my letters")
    }


def add_model(database: Database, name: str, project: str = LOCAL) -> str:
    model = ModelRow(id=new_id("mdl"), project=project, name=name, files={}, signature={}, card={})
    with database.write() as session:
        session.add(model)
    return model.id


def test_a_job_of_names_is_one_of_ids(client: httpx.Client, named: dict[str, str]) -> None:
    answer = client.post("/v1/jobs", json=spec("digits", "my letters"))
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert (job["sources"], job["target"]) == ([named["digits"]], named["my letters"])
    assert job["spec"]["sources"][0]["dataset"] == named["digits"]
    assert (job["source_names"], job["target_name"]) == (["digits"], "my letters")
    assert job["name"] == "digits to my letters"
    path = f"/v1/jobs/{quote(job['name'])}"
    assert client.get(path).json()["id"] == job["id"]
    assert client.get(f"{path}/trials").json()["data"][0]["job_id"] == job["id"]
    assert client.post(f"{path}/pause").json()["status"] == "paused"
    assert client.post(f"{path}/cancel").json()["status"] == "cancelled"
    assert client.delete(path).status_code == 204
    problem(client.get(path), 404, "job_not_found")


def test_a_dataset_is_shown_and_deleted_by_its_name(
    client: httpx.Client, named: dict[str, str]
) -> None:
    assert client.get("/v1/datasets/my%20letters").json()["id"] == named["my letters"]
    assert client.delete("/v1/datasets/my%20letters").status_code == 204
    problem(client.get("/v1/datasets/my%20letters"), 404, "dataset_not_found")
    problem(client.get(f"/v1/datasets/{named['my letters']}"), 404, "dataset_not_found")


def test_a_model_is_shown_and_deleted_by_its_name(client: httpx.Client, database: Database) -> None:
    add_model(database, "cats", "another")
    model = add_model(database, "cats")
    assert client.get("/v1/models/cats").json()["id"] == model
    assert client.get("/v1/models/cats", params={"deployment": False}).json()["id"] == model
    assert client.delete("/v1/models/cats").status_code == 204
    problem(client.get("/v1/models/cats"), 404, "model_not_found")


def test_a_name_that_several_have_is_refused_with_all_of_them(
    client: httpx.Client, database: Database, named: dict[str, str]
) -> None:
    twin = add_dataset(database, project=LOCAL, name="digits")
    asked = (
        (client.get("/v1/datasets/digits"), None),
        (client.delete("/v1/datasets/digits"), None),
        (client.post("/v1/jobs", json=spec("digits", "my letters")), "#/sources/0/dataset"),
        (client.post("/v1/jobs:validate", json=spec("my letters", "digits")), "#/target/dataset"),
        (client.post("/v1/datasets", json=derived("digits")), "#/from"),
    )
    for answer, pointer in asked:
        found = problem(answer, 409, "ambiguous_name")
        assert "2 are called so" in found["detail"]
        told = [each["detail"].split()[0] for each in found["errors"]]
        assert told == [twin, named["digits"]]  # the newest first
        assert {each.get("pointer") for each in found["errors"]} == {pointer}
    assert client.get(f"/v1/datasets/{twin}").json()["name"] == "digits"
    assert client.delete(f"/v1/datasets/{twin}").status_code == 204
    assert client.get("/v1/datasets/digits").json()["id"] == named["digits"]


def test_jobs_and_models_of_one_name(
    client: httpx.Client, database: Database, named: dict[str, str]
) -> None:
    jobs = [submit(client, spec("digits", "my letters", name="trial run")) for _ in range(2)]
    found = problem(client.post("/v1/jobs/trial%20run/cancel"), 409, "ambiguous_name")
    assert [each["detail"].split()[0] for each in found["errors"]] == jobs[::-1]
    models = [add_model(database, "cats") for _ in range(2)]
    for answer in (
        client.get("/v1/models/cats"),
        client.put("/v1/deployments/pets", json={"model": "cats"}),
    ):
        found = problem(answer, 409, "ambiguous_name")
        assert [each["detail"].split()[0] for each in found["errors"]] == models[::-1]


def test_an_id_wins_over_a_name(client: httpx.Client, database: Database) -> None:
    meant = add_dataset(database, project=LOCAL, name="meant")
    add_dataset(database, project=LOCAL, name=meant)
    add_dataset(database, project=LOCAL, name="ds_none")
    assert client.get(f"/v1/datasets/{meant}").json()["name"] == "meant"
    problem(client.get("/v1/datasets/ds_none"), 404, "dataset_not_found")


def test_a_dataset_is_derived_from_a_name(client: httpx.Client, named: dict[str, str]) -> None:
    answer = client.post("/v1/datasets", json=derived("my letters"))
    assert answer.status_code == 202, answer.text
    assert answer.json()["origin"] == named["my letters"]
    nameless = {"from": "my letters", "rows": 3}  # it would make its origin's name ambiguous
    problem(client.post("/v1/datasets", json=nameless), 422, "missing_field")


def test_a_model_where_a_dataset_is_expected(
    client: httpx.Client, database: Database, named: dict[str, str]
) -> None:
    model = add_model(database, "cats")
    found = problem(client.post("/v1/jobs", json=spec("cats", "digits")), 422, "unknown_dataset")
    assert f'{{"model": "{model}"}}' in found["detail"]
    assert found["errors"][0]["pointer"] == "#/sources/0/dataset"


def test_a_slash_stands_in_no_path(client: httpx.Client, database: Database) -> None:
    dataset = add_dataset(database, project=LOCAL, name="a/b")
    found = problem(client.get("/v1/datasets/a%2Fb"), 404, "not_found")
    assert "slash" in found["detail"]
    job = client.post("/v1/jobs", json=spec("a/b", "a/b")).json()
    assert job["target"] == dataset


def derived(origin: str) -> dict[str, Any]:
    return {"name": "a few", "from": origin, "rows": 3}
