"""Models over HTTP, on both databases."""

from hashlib import sha256

import httpx
import numpy as np
import onnxruntime
import pytest

from app.errors import Conflict
from app.jobs import lifecycle
from app.models import repository
from app.tables.jobs import JobRow
from tests.jobs.factories import add_dataset, add_job
from tests.prediction.site import LABELS, SHAPE, Site, problem


def test_a_model_says_what_it_is(site: Site) -> None:
    model = site.add_model()
    answer = site.client.get(f"/v1/models/{model}")
    assert answer.status_code == 200
    body = answer.json()
    assert body["signature"] == {
        "inputs": {
            "modality": "image",
            "shape": list(SHAPE),
            "dtype": "uint8",
            "value_range": None,
        },
        "task": {"kind": "classification", "classes": LABELS},
        "temperature": None,
        "encoder": None,
    }
    assert body["card"] == {"arm": "lp_ft"}
    assert body["hashes"]["keras"] == sha256(b"a keras archive").hexdigest()
    assert body["deployments"] == []
    seen = {"If-None-Match": answer.headers["etag"]}
    assert site.client.get(f"/v1/models/{model}", headers=seen).status_code == 304


def test_a_model_says_its_values_range_and_its_temperature(site: Site) -> None:
    model = site.add_model(value_range=[0, 255], temperature=1.5)
    signature = site.client.get(f"/v1/models/{model}").json()["signature"]
    assert (signature["inputs"]["value_range"], signature["temperature"]) == ([0, 255], 1.5)


def test_models_are_listed_newest_first_in_pages(site: Site) -> None:
    made = [site.add_model(favourite) for favourite in (0, 1, 2)]
    first = site.client.get("/v1/models", params={"limit": 2}).json()
    assert [one["id"] for one in first["data"]] == made[:0:-1]
    second = site.client.get("/v1/models", params={"limit": 2, "after": first["next"]}).json()
    assert [one["id"] for one in second["data"]] == [made[0]]
    assert not second["has_more"]


def test_the_download_is_the_stored_file(site: Site) -> None:
    model = site.add_model(favourite=1)
    url = f"/v1/models/{model}/download"
    graph = site.client.get(url)
    assert graph.headers["content-disposition"] == f'attachment; filename="{model}.onnx"'
    hashes = site.client.get(f"/v1/models/{model}").json()["hashes"]
    assert sha256(graph.content).hexdigest() == hashes["onnx"]
    bright = np.full((1, *SHAPE), 255, np.float32)
    (answered,) = onnxruntime.InferenceSession(graph.content).run(None, {"inputs": bright})
    assert answered.argmax() == 1
    assert site.client.get(url, params={"format": "keras"}).content == b"a keras archive"
    body = problem(site.client.get(url, params={"format": "exe"}), 422, "unknown_choice")
    assert body["errors"][0]["parameter"] == "format"


def test_a_deleted_model_is_gone(site: Site) -> None:
    model = site.add_model()
    stale = site.client.delete(f"/v1/models/{model}", headers={"If-Match": '"another"'})
    problem(stale, 412, "version_changed")
    assert site.client.delete(f"/v1/models/{model}").status_code == 204
    for again in (
        site.client.get(f"/v1/models/{model}"),
        site.client.delete(f"/v1/models/{model}"),
        site.client.get(f"/v1/models/{model}/download"),
    ):
        problem(again, 404, "model_not_found")
    assert site.client.get("/v1/models").json()["data"] == []


def test_a_deployed_model_is_not_deleted(site: Site) -> None:
    model = site.add_model()
    site.deploy("pets", model)
    assert site.client.get(f"/v1/models/{model}").json()["deployments"] == ["pets"]
    body = problem(site.client.delete(f"/v1/models/{model}"), 409, "model_deployed")
    assert "pets" in body["detail"]
    site.client.delete("/v1/deployments/pets")
    assert site.client.delete(f"/v1/models/{model}").status_code == 204


def test_a_model_that_an_open_job_starts_from_is_not_deleted(site: Site) -> None:
    model, dataset = site.add_model(project="p"), add_dataset(site.database)
    job_id = add_job(site.database, dataset, dataset)
    with site.database.write() as session:
        session.get_one(JobRow, job_id).source_ids = [model]

    def delete() -> None:
        with site.database.write() as session:
            repository.remove(session, repository.get(session, "p", model, is_locked=True))

    with pytest.raises(Conflict) as caught:
        delete()
    assert caught.value.code == "model_in_use"
    assert job_id in caught.value.detail
    with site.database.write() as session:
        lifecycle.fail_job(session, lifecycle.lock(session, job_id), {"failure": "internal"})
    delete()
    with site.database.write() as session, pytest.raises(Conflict) as refused:
        lifecycle.retry(session, job_id)
    assert refused.value.code == "model_deleted"


def test_another_projects_model_is_not_there(site: Site) -> None:
    theirs = site.add_model(project="theirs")
    answers: list[httpx.Response] = [
        site.client.get(f"/v1/models/{theirs}"),
        site.client.get(f"/v1/models/{theirs}/download"),
        site.client.delete(f"/v1/models/{theirs}"),
        site.client.put("/v1/deployments/pets", json={"model": theirs}),
    ]
    for answer in answers:
        problem(answer, 404, "model_not_found")
    assert site.client.get("/v1/models").json()["data"] == []
