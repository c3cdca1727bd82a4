"""Deployments over HTTP, on both databases."""

from datetime import datetime
from threading import Event, Thread

import numpy as np
import pytest

from app.deployments import repository
from app.usage import repository as usage
from tests.prediction.site import LABELS, SHAPE, Site, problem, softmax, weights

URL = "/v1/deployments/pets"
BRIGHT = np.full((1, *SHAPE), 255)


def answered(site: Site) -> tuple[str, str]:
    """The model that answers, and its label."""
    answer = site.client.post(f"{URL}/predict", json={"inputs": BRIGHT.tolist()})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["model"], body["outputs"][0]["label"]


def test_a_name_is_made_and_pointed_elsewhere(site: Site) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    made = site.client.put(URL, json={"model": cat})
    assert (made.status_code, made.headers["location"]) == (201, URL)
    body = made.json()
    assert (body["status"], body["model"], body["version"]) == ("ready", cat, 1)
    assert answered(site) == (cat, "cat")

    moved = site.client.put(URL, json={"model": dog})
    assert moved.status_code == 200
    names = [site.client.get(f"/v1/models/{each}").json()["name"] for each in (dog, cat)]
    assert [
        (one["version"], one["model"], one["model_name"]) for one in moved.json()["history"]
    ] == [
        (2, dog, names[0]),
        (1, cat, names[1]),
    ]
    assert answered(site) == (dog, "dog")
    assert datetime.fromisoformat(moved.json()["updated_at"]).utcoffset() is not None

    same = site.client.put(URL, json={"model": dog})
    assert (same.status_code, same.json()["version"]) == (200, 2)


def test_deployments_are_listed(site: Site) -> None:
    model = site.add_model()
    for name in ("a", "b", "c"):
        site.deploy(name, model)
    listed = site.client.get("/v1/deployments", params={"limit": 2}).json()
    assert [(one["name"], one["status"]) for one in listed["data"]] == [
        ("c", "ready"),
        ("b", "ready"),
    ]
    following = site.client.get("/v1/deployments", params={"after": listed["next"]}).json()
    assert [one["name"] for one in following["data"]] == ["a"]


def test_if_match_guards_against_changes_of_others(site: Site) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    problem(
        site.client.put(URL, json={"model": cat}, headers={"If-Match": "*"}), 412, "version_changed"
    )
    site.deploy("pets", cat)
    seen = site.client.get(URL)
    guard = {"If-Match": seen.headers["etag"]}
    assert site.client.get(URL, headers={"If-None-Match": seen.headers["etag"]}).status_code == 304
    assert site.client.put(URL, json={"model": dog}, headers=guard).status_code == 200
    problem(site.client.put(URL, json={"model": cat}, headers=guard), 412, "version_changed")
    problem(site.client.post(f"{URL}/rollback", headers=guard), 412, "version_changed")
    problem(site.client.delete(URL, headers=guard), 412, "version_changed")
    assert answered(site) == (dog, "dog")


def test_a_graph_that_answers_otherwise_than_trained_is_not_deployed(site: Site) -> None:
    good, wrong = site.add_model(0), site.add_model(0, trained=1)
    site.deploy("pets", good)
    body = problem(site.client.put(URL, json={"model": wrong}), 422, "gate_failed")
    assert body["errors"][0]["pointer"] == "#/model"
    assert "within 0.0001" in body["detail"]
    assert answered(site) == (good, "cat")
    assert site.client.get(URL).json()["version"] == 1
    problem(site.client.put("/v1/deployments/other", json={"model": wrong}), 422, "gate_failed")
    problem(site.client.get("/v1/deployments/other"), 404, "deployment_not_found")


def test_rollback_goes_to_the_version_before(site: Site) -> None:
    problem(site.client.post(f"{URL}/rollback"), 404, "deployment_not_found")
    cat, dog = site.add_model(0), site.add_model(1)
    site.deploy("pets", cat)
    problem(site.client.post(f"{URL}/rollback"), 409, "no_earlier_version")
    site.deploy("pets", dog)
    back = site.client.post(f"{URL}/rollback").json()
    assert (back["model"], back["version"], back["status"]) == (cat, 3, "ready")
    assert answered(site) == (cat, "cat")
    assert site.client.delete(f"/v1/models/{dog}").status_code == 204
    problem(site.client.post(f"{URL}/rollback"), 409, "no_earlier_version")


def test_a_deleted_name_answers_no_more(site: Site) -> None:
    site.deploy("pets", site.add_model())
    assert site.client.delete(URL).status_code == 204
    problem(site.client.post(f"{URL}/predict", json={"inputs": [1]}), 404, "deployment_not_found")
    problem(site.client.get(URL), 404, "deployment_not_found")
    problem(site.client.delete(URL), 404, "deployment_not_found")


@pytest.mark.parametrize("name", ["UPPER", "-a", "a" * 65, "a b"])
def test_names_are_short_and_plain(site: Site, name: str) -> None:
    answer = site.client.put(f"/v1/deployments/{name}", json={"model": site.add_model()})
    assert problem(answer, 422, "invalid_value")["errors"][0]["parameter"] == "name"


def test_a_name_that_another_process_made_is_found_at_once(site: Site) -> None:
    model = site.add_model(2)
    with site.database.write() as session:
        repository.point(session, "default", "pets", model)
    assert answered(site) == (model, "eel")


def test_another_projects_deployment_is_not_there(site: Site) -> None:
    theirs = site.add_model(project="theirs")
    with site.database.write() as session:
        repository.point(session, "theirs", "pets", theirs)
    problem(site.client.get(URL), 404, "deployment_not_found")
    problem(
        site.client.post(f"{URL}/predict", json={"inputs": BRIGHT.tolist()}),
        404,
        "deployment_not_found",
    )
    ours = site.add_model(1)
    site.deploy("pets", ours)
    assert answered(site) == (ours, "dog")


def test_no_request_fails_while_the_name_is_pointed_elsewhere(site: Site) -> None:
    models = {site.add_model(favourite): favourite for favourite in (0, 1)}
    first, second = models
    site.deploy("pets", first)
    scores = {
        model: float(softmax(BRIGHT.reshape(1, -1) @ weights(favourite))[0, favourite])
        for model, favourite in models.items()
    }
    seen: list[str] = []
    wrong: list[str] = []
    is_over = Event()

    def ask() -> None:
        while not is_over.is_set():
            answer = site.client.post(f"{URL}/predict", json={"inputs": BRIGHT.tolist()})
            body = answer.json()
            model = body.get("model")
            expected = models.get(model) is not None and (
                body["outputs"][0]["label"] == LABELS[models[model]]
                and abs(body["outputs"][0]["score"] - scores[model]) < 1e-5
            )
            (seen if expected else wrong).append(model if expected else answer.text)

    askers = [Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for turn in range(20):
        site.deploy("pets", (second, first)[turn % 2])
    is_over.set()
    for asker in askers:
        asker.join()
    assert not wrong
    assert set(seen) == {first, second}


def test_history_outlives_a_model_that_was_deleted_and_swept(site: Site) -> None:
    cat, dog, eel = (site.add_model(each) for each in range(3))
    for model in (cat, dog):
        site.deploy("pets", model)
    assert site.client.delete(f"/v1/models/{cat}").status_code == 204
    with site.database.write() as session:
        assert usage.purge(session) == 1
    shown = site.client.get(URL)
    assert shown.status_code == 200, shown.text
    history = [(each["model"], each["model_name"]) for each in shown.json()["history"]]
    assert history == [(dog, "m"), (cat, cat)]
    problem(site.client.post(f"{URL}/rollback"), 409, "no_earlier_version")
    assert site.client.get(f"{URL}/traffic").status_code == 200
    guard = {"If-Match": shown.headers["etag"]}
    assert site.client.put(URL, json={"model": eel}, headers=guard).status_code == 200
    assert site.client.post(f"{URL}/rollback").json()["model"] == dog
    assert site.client.delete(URL).status_code == 204


def test_if_none_match_makes_a_name_and_changes_none(site: Site) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    new = {"If-None-Match": "*"}
    assert site.client.put(URL, json={"model": cat}, headers=new).status_code == 201
    problem(site.client.put(URL, json={"model": dog}, headers=new), 412, "version_exists")
    assert answered(site) == (cat, "cat")
