"""A new model on a share of a deployment's requests, over HTTP, on both databases."""

from collections import Counter
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from app.deployments import repository
from app.prediction.served import ServedModels
from app.tables.models import ModelRow
from tests.deployments.test_traffic import BRIGHT, ask, day, traffic
from tests.prediction.site import SHAPE, Site, problem

URL = "/v1/deployments/pets"
CANARY = f"{URL}/canary"


def answers(site: Site, times: int) -> list[str]:
    """The model that answered each request."""
    found = []
    for _ in range(times):
        answer = site.client.post(f"{URL}/predict", json={"inputs": BRIGHT})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        label = body["outputs"][0]["label"]
        found.append(f"{body['model']} {label}")
    return found


def changed_task(site: Site, model_id: str, **task: Any) -> str:
    """The model, whose task is said to be another."""
    with site.database.write() as session:
        row = session.get_one(ModelRow, model_id)
        row.signature = {**row.signature, "task": {**row.signature["task"], **task}}
    return model_id


@pytest.mark.parametrize("percent", [1, 10, 33, 99])
def test_each_hundred_requests_have_exactly_the_share(site: Site, percent: int) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    site.deploy("pets", cat)
    answers(site, 20)
    put = site.client.put(CANARY, json={"model": dog, "percent": percent})
    assert put.status_code == 200, put.text
    told = put.json()["canary"]
    assert (told["model"], told["model_name"], told["percent"]) == (dog, "m", percent)
    for _ in range(2):
        seen = Counter(answers(site, 100))
        assert seen == {f"{cat} cat": 100 - percent, f"{dog} dog": percent}


def test_a_canary_is_promoted_and_history_says_so(site: Site) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    site.deploy("pets", cat)
    problem(site.client.post(f"{CANARY}/promote"), 409, "no_canary")
    site.client.put(CANARY, json={"model": dog, "percent": 50})
    promoted = site.client.post(f"{URL}/canary:promote").json()
    assert (promoted["model"], promoted["version"], promoted["canary"]) == (dog, 2, None)
    assert [each["model"] for each in promoted["history"]] == [dog, cat]
    assert set(answers(site, 20)) == {f"{dog} dog"}
    back = site.client.post(f"{URL}/rollback").json()
    assert (back["model"], back["version"]) == (cat, 3)


def test_a_dropped_canary_answers_no_more_and_can_be_deleted(site: Site) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    site.deploy("pets", cat)
    site.client.put(CANARY, json={"model": dog, "percent": 50})
    told = problem(site.client.delete(f"/v1/models/{dog}"), 409, "model_deployed")
    assert "canary of pets" in told["detail"]
    assert site.client.delete(CANARY).status_code == 204
    assert site.client.get(URL).json()["canary"] is None
    assert set(answers(site, 20)) == {f"{cat} cat"}
    problem(site.client.delete(CANARY), 409, "no_canary")
    assert site.client.delete(f"/v1/models/{dog}").status_code == 204


def test_pointing_elsewhere_or_deleting_ends_a_canary(site: Site) -> None:
    cat, dog, eel = (site.add_model(each) for each in range(3))
    site.deploy("pets", cat)
    site.client.put(CANARY, json={"model": dog, "percent": 50})
    site.deploy("pets", eel)
    assert site.client.get(URL).json()["canary"] is None
    assert set(answers(site, 20)) == {f"{eel} eel"}
    site.client.put(CANARY, json={"model": dog, "percent": 50})
    assert site.client.delete(URL).status_code == 204
    assert site.client.delete(f"/v1/models/{dog}").status_code == 204


@pytest.mark.parametrize("percent", [0, 100, 101, -1, "10", 10.5, None, True])
def test_the_share_is_a_whole_number_from_1_to_99(site: Site, percent: object) -> None:
    site.deploy("pets", site.add_model(0))
    answer = site.client.put(CANARY, json={"model": site.add_model(1), "percent": percent})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == "#/percent"


def test_what_cannot_take_its_place_is_refused_by_name(site: Site) -> None:
    cat = site.add_model(0)
    problem(
        site.client.put(CANARY, json={"model": cat, "percent": 10}), 404, "deployment_not_found"
    )
    site.deploy("pets", cat)

    def refused(model: str, status: int, code: str) -> str:
        answer = site.client.put(CANARY, json={"model": model, "percent": 10})
        body = problem(answer, status, code)
        assert body["errors"][0]["pointer"] == "#/model"
        return str(body["detail"])

    refused("mdl_none", 404, "model_not_found")
    refused(cat, 422, "canary_of_itself")
    refused(site.add_model(0, trained=1), 422, "gate_failed")
    other = changed_task(site, site.add_model(1), classes=["cat", "dog", "fox"])
    assert "`eel`, `fox`" in refused(other, 422, "other_signature")
    turned = changed_task(site, site.add_model(1), classes=["dog", "cat", "eel"])
    assert "order" in refused(turned, 422, "other_signature")
    with site.database.write() as session:
        unread = ModelRow(
            id="mdl_unread", project="default", name="u", files={}, signature={}, card={}
        )
        session.add(unread)
    refused("mdl_unread", 409, "model_not_ready")
    problem(site.client.put(CANARY, json={"model": cat}), 422, "missing_field")
    assert site.client.get(URL).json()["canary"] is None


def test_if_match_guards_a_canary(site: Site) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    site.deploy("pets", cat)
    guard = {"If-Match": site.client.get(URL).headers["etag"]}
    body = {"model": dog, "percent": 10}
    assert site.client.put(CANARY, json=body, headers=guard).status_code == 200
    problem(site.client.put(CANARY, json=body, headers=guard), 412, "version_changed")
    problem(site.client.post(f"{CANARY}/promote", headers=guard), 412, "version_changed")
    problem(site.client.delete(CANARY, headers=guard), 412, "version_changed")


def test_traffic_shows_both_side_by_side(site: Site) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    site.deploy("pets", cat)
    site.client.put(CANARY, json={"model": dog, "percent": 50})
    ask(site, 120)
    models = traffic(site, lambda day: day["requests"] == 60)
    assert [(each["role"], day(each)["requests"]) for each in models] == [
        ("current", 60),
        ("canary", 60),
    ]
    told = site.client.get(f"{URL}/traffic").json()["canary"]
    assert (told["reference"], told["distance"], told["standing"]) == ("current", 1, "drifted")
    assert "differ from those of the current model" in told["sentence"]


def test_no_request_fails_while_canaries_come_and_go(site: Site) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    site.deploy("pets", cat)
    seen: list[str] = []
    wrong: list[str] = []
    is_over = Event()

    def asking() -> None:
        while not is_over.is_set():
            answer = site.client.post(f"{URL}/predict", json={"inputs": BRIGHT})
            body = answer.json()
            right = {cat: "cat", dog: "dog"}.get(body.get("model", ""))
            is_right = right is not None and body["outputs"][0]["label"] == right
            (seen if is_right else wrong).append(body["model"] if is_right else answer.text)

    askers = [Thread(target=asking) for _ in range(3)]
    for asker in askers:
        asker.start()
    for turn in range(6):
        current, other = ((cat, dog), (dog, cat))[turn % 2]
        put = site.client.put(CANARY, json={"model": other, "percent": 50})
        assert put.status_code == 200, put.text
        if turn % 3 == 0:
            assert site.client.delete(CANARY).status_code == 204
            site.client.put(CANARY, json={"model": other, "percent": 20})
        assert site.client.post(f"{CANARY}/promote").json()["model"] == other
        assert current != other
    is_over.set()
    for asker in askers:
        asker.join()
    assert not wrong
    assert set(seen) == {cat, dog}


def test_inputs_of_another_shape_are_refused(site: Site) -> None:
    site.deploy("pets", site.add_model(0))
    other = site.add_model(1)
    with site.database.write() as session:
        row = session.get_one(ModelRow, other)
        shape = {"shape": [2, *SHAPE[1:]]}
        row.signature = {**row.signature, "inputs": {**row.signature["inputs"], **shape}}
    answer = site.client.put(CANARY, json={"model": other, "percent": 10})
    assert "expected items of 4x4x1, got 2x4x1" in problem(answer, 422, "other_signature")["detail"]
    assert np.shape(BRIGHT) == (1, *SHAPE)


def unfit(site: Site, model_id: str) -> None:
    """The model's graph does not answer any more as the trainer did, by a process that loads it."""
    other = site.add_model(2)
    with site.database.write() as session:
        row = session.get_one(ModelRow, model_id)
        row.files = {**row.files, "golden": session.get_one(ModelRow, other).files["golden"]}


def test_a_canary_that_cannot_be_loaded_says_so_and_is_not_loaded_for_ever(site: Site) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    site.deploy("pets", cat)
    site.client.put(CANARY, json={"model": dog, "percent": 50})
    assert site.client.get(URL).json()["canary"]["status"] == "ready"
    unfit(site, dog)
    other_process = ServedModels(site.database, site.storage)
    with capture_logs() as logs:
        for _ in range(3):
            other_process.refresh()
    assert [each["event"] for each in logs] == ["model_not_loaded"]
    with site.database.read() as session:
        row = repository.get(session, "default", "pets")
        status, reason = other_process.canary_state(row, dog)
        assert other_process.state(row) == ("ready", None)
    assert status == "failed"
    assert "within 0.0001" in str(reason)


def test_a_canary_that_would_not_answer_is_not_promoted(site: Site) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    site.deploy("pets", cat)
    site.client.put(CANARY, json={"model": dog, "percent": 50})
    unfit(site, dog)
    problem(site.client.post(f"{CANARY}/promote"), 409, "gate_failed")
    told = site.client.get(URL).json()
    assert (told["model"], told["canary"]["model"]) == (cat, dog)
