"""No value in any place of any operation is a 5xx, and each refusal is a documented problem."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.database import Database
from app.jobs import lifecycle
from app.main import create_app
from app.migrate import upgrade
from app.problems import MEDIA_TYPE
from app.settings import Settings
from app.storage import Storage
from app.tables.datasets import DatasetRow
from tests.conftest import new_database
from tests.contract.hostile import HALVES, of_kind, texts_of_json, texts_of_parameters
from tests.contract.operations import Operation, operations
from tests.contract.places import Place, places, put
from tests.jobs.factories import SCHEMA, add_dataset, add_job
from tests.prediction.site import add_model
from tests.serving import serve

DOCUMENT = create_app(Settings(data_dir=Path("nowhere"))).openapi()
OPERATIONS = {each.name: each for each in operations(DOCUMENT)}
NATIVE = "/v1/deployments/{name}/predict"
JSON = "application/json"
PART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
EXAMPLES = 6


class Site:
    """The API, with one of each thing in it."""

    def __init__(self, client: httpx.Client, database: Database, storage: Storage, folder: Path):
        self.client = client
        datasets = [add_dataset(database, project="default") for _ in range(2)]
        job = add_job(database, *datasets, project="default")
        arrays = {}
        for split, count in SCHEMA.splits.items():
            for name, shape in (
                (f"x_{split}", (count, *SCHEMA.inputs.shape)),
                (f"y_{split}", (count,)),
            ):
                np.save(folder / f"{name}.npy", np.zeros(shape, np.uint8))
                arrays[name] = storage.put(folder / f"{name}.npy")
        with database.write() as session:
            lifecycle.cancel(session, job)
            for dataset in datasets:
                session.get_one(DatasetRow, dataset).arrays = arrays
        self.ids = {
            "dataset_id": datasets[0],
            "target": datasets[1],
            "job_id": job,
            "name": "digits",
        }
        self.ids["model_id"] = add_model(database, storage)
        made = client.put("/v1/deployments/digits", json={"model": self.ids["model_id"]})
        assert made.status_code == 201

    def body(self, operation: Operation) -> Any:
        """The worked example, with datasets that are there and ready."""
        body = deepcopy(operation.example(DOCUMENT))
        if "sources" in body:
            body |= {"sources": [{"dataset": self.ids["dataset_id"]}]}
            body["target"] |= {"dataset": self.ids["target"]}
        return body

    def ask(self, operation: Operation, **request: Any) -> None:
        path = operation.path(**{**self.ids, **request.pop("path", {})})
        answer = self.client.request(operation.method, path, **request)
        said = f"{operation.name} {path} {str(request)[:300]} -> {answer.status_code}"
        may_fail = {503} if operation.template == "/readyz" else set()  # there is no broker
        assert answer.status_code < 500 or answer.status_code in may_fail, said
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == MEDIA_TYPE, said
            assert answer.json()["status"] == answer.status_code, said
            lost = {404, 405}  # a path with `/` in it is another one, or none
            assert answer.status_code in operation.documented | lost, said


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("hostile")
    url = f"sqlite:///{folder / 'test.db'}"
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql"))
    chosen = Settings(data_dir=folder, database_url=url)
    upgrade(chosen.database)
    database = Database(chosen.database)
    with serve(create_app(chosen)) as client:
        yield Site(client, database, Storage(chosen.storage, chosen.cache_dir), folder)
    database.dispose()


bounded = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
with_parameters = [name for name, each in OPERATIONS.items() if each.parameters]
with_json = [name for name, each in OPERATIONS.items() if JSON in each.media_types]
PLACES = {
    name: places(OPERATIONS[name].described["requestBody"]["content"][JSON]["schema"], DOCUMENT)
    for name in with_json
}
MANY = 50


@pytest.mark.parametrize("name", with_parameters)
@bounded
@given(data=st.data())
def test_parameters(site: Site, name: str, data: st.DataObject) -> None:
    operation = OPERATIONS[name]
    sent = data.draw(st.sampled_from(operation.parameters))
    value = data.draw(texts_of_parameters())
    match sent["in"]:
        case "path":
            site.ask(operation, path={sent["name"]: quote_from_bytes(value, safe="")})
        case "query":
            site.ask(operation, params=f"{sent['name']}={quote_from_bytes(value)}")
        case "header":
            shown = bytes(each for each in value if each > 31 and each != 127).strip()
            site.ask(operation, headers={sent["name"]: shown})


@pytest.mark.parametrize("name", with_parameters)
def test_parameters_of_a_kind(site: Site, name: str) -> None:
    """What is a number or a time in the document gets every number and time of ours."""
    operation = OPERATIONS[name]
    for sent in operation.parameters:
        for value in of_kind(sent["schema"]):
            if sent["in"] == "header":
                site.ask(operation, headers={sent["name"]: value})
            else:
                site.ask(operation, params={sent["name"]: value})


def test_a_query_that_is_not_known(site: Site) -> None:
    for operation in OPERATIONS.values():
        if operation.template != NATIVE:  # it passes over what it does not know
            refused = site.client.request(operation.method, operation.path(), params={"limt": "5"})
            assert refused.status_code == 422, operation.name
            assert refused.json()["errors"][0]["parameter"] == "limt"
            site.ask(operation, params={"\0": "\0"})


@pytest.mark.parametrize("name", with_json)
def test_half_a_character_in_every_place(site: Site, name: str) -> None:
    operation = OPERATIONS[name]
    for place in PLACES[name]:
        for value in HALVES[:1] if len(PLACES[name]) > MANY else HALVES:
            content = body_with(site, operation, place, value)
            site.ask(operation, content=content, headers={"Content-Type": JSON})


@pytest.mark.parametrize("name", with_json)
@bounded
@given(data=st.data())
def test_bodies(site: Site, name: str, data: st.DataObject) -> None:
    operation = OPERATIONS[name]
    place = data.draw(st.sampled_from(PLACES[name]))
    content = body_with(site, operation, place, data.draw(texts_of_json()))
    site.ask(operation, content=content, headers={"Content-Type": JSON})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("POST /v1/datasets", {"name": "letters"}),
        ("POST /v1/models", {"name": "n", "inputs": {"expects": [0, 1]}, "head": "drop"}),
    ],
)
@bounded
@given(data=st.data())
def test_the_spec_beside_a_file(
    site: Site, name: str, said: dict[str, Any], data: st.DataObject
) -> None:
    operation = OPERATIONS[name]
    form = operation.described["requestBody"]["content"]["multipart/form-data"]
    path, _ = data.draw(st.sampled_from(places(form["schema"]["properties"]["spec"], DOCUMENT)))
    spec = with_raw(said, path, data.draw(texts_of_json()))
    content = PART % (b"spec", spec) + PART % (b"file", b"x") + b"--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    site.ask(operation, content=content, headers=headers)


def body_with(site: Site, operation: Operation, place: Place, text: str) -> bytes:
    body, (path, beside) = site.body(operation), place
    for at, fixed in beside:
        body = put(body, at, fixed)
    return with_raw(body, path, text)


def with_raw(body: Any, path: tuple[str | int, ...], text: str) -> bytes:
    """The body as JSON with this text, which need not be JSON, as the value there."""
    mark = "the value goes here"
    return json.dumps(put(body, path, mark)).replace(json.dumps(mark), text).encode()
