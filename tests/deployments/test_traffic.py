"""Traffic of a deployment over HTTP, on both databases."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from app.tables.models import ModelRow
from app.traffic.counts import TESTED
from tests.prediction.site import SHAPE, Site, problem

URL = "/v1/deployments/pets"
BRIGHT, DARK = np.full((1, *SHAPE), 255).tolist(), np.zeros((1, *SHAPE)).tolist()
PATIENCE_SECONDS = 20.0


def ask(site: Site, times: int, inputs: Any = BRIGHT) -> None:
    for _ in range(times):
        assert site.client.post(f"{URL}/predict", json={"inputs": inputs}).status_code == 200


def traffic(site: Site, until: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Models, once the last day of the first is so; counts are some seconds old."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = site.client.get(f"{URL}/traffic")
        assert answer.status_code == 200, answer.text
        models: list[dict[str, Any]] = answer.json()["models"]
        if until(day(models[0])) or time.monotonic() > end:
            return models
        time.sleep(0.2)


def day(model: dict[str, Any]) -> dict[str, Any]:
    return next(each for each in model["windows"] if each["window"] == "day")


def test_requests_are_counted_with_their_errors(site: Site) -> None:
    site.deploy("pets", site.add_model(value_range=(0, 255)))
    fresh = site.client.get(f"{URL}/traffic").json()["models"]
    assert [day(each)["requests"] for each in fresh] == [0]
    assert day(fresh[0])["drift"]["standing"] == "no_reference"

    ask(site, 20)
    ask(site, 5, [np.full(SHAPE, 255).tolist()] * 3)
    for _ in range(3):
        problem(site.client.post(f"{URL}/predict", json={"inputs": [1]}), 422, "wrong_shape")
    site.client.post(f"{URL}/predict", json={"inputs": BRIGHT}, headers={"content-encoding": "br"})
    (model,) = traffic(site, lambda day: day["requests"] == 29)
    assert (model["role"], model["version"]) == ("current", 1)
    for window in model["windows"]:
        assert (window["requests"], window["items"]) == (29, 35)
        assert window["errors"] == {"415": 1, "422": 3}
        assert 0 < window["p50_seconds"] <= window["p99_seconds"] < 5
        (most, *_) = window["answers"]
        assert (most["answer"], most["share"]) == ("cat", 1)
        assert window["drift"]["reference"] == "first_answers"
        assert window["drift"]["standing"] == "too_few"


def test_answers_other_than_on_the_test_items_are_told(site: Site) -> None:
    model_id = site.add_model(0)
    with site.database.write() as session:
        row = session.get_one(ModelRow, model_id)
        kinds = {"0": 18, "1": 82}
        row.card = {**row.card, TESTED: {"items": 100, "kinds": kinds, "confidence": 99.0}}
    site.deploy("pets", model_id)
    ask(site, 90)
    (model,) = traffic(site, lambda day: day["requests"] == 90)
    told = day(model)
    assert told["drift"]["standing"] == "drifted"
    assert (told["drift"]["reference"], told["drift"]["reference_items"]) == ("test", 100)
    assert told["drift"]["distance"] > told["drift"]["limit"]
    assert "100% `cat`, 18% then" in told["drift"]["sentence"]
    shares = {each["answer"]: (each["share"], each["reference_share"]) for each in told["answers"]}
    assert shares == {"cat": (1, 0.18), "dog": (0, 0.82)}


def test_odd_inputs_are_told_by_their_warnings(site: Site) -> None:
    site.deploy("pets", site.add_model(value_range=(0, 100)))
    ask(site, 3, DARK)
    ask(site, 1, BRIGHT)
    (model,) = traffic(site, lambda day: day["requests"] == 4)
    assert day(model)["doubts"] == [{"code": "out_of_range", "requests": 1, "share": 0.25}]


def test_models_that_have_answered_stand_side_by_side(site: Site) -> None:
    cat, dog = site.add_model(0), site.add_model(1)
    site.deploy("pets", cat)
    ask(site, 4)
    site.deploy("pets", dog)
    ask(site, 2)
    models = traffic(site, lambda day: day["requests"] == 2)
    assert [(m["model"], m["role"], m["version"], day(m)["requests"]) for m in models] == [
        (dog, "current", 2, 2),
        (cat, "earlier", 1, 4),
    ]


def test_an_unknown_name_has_no_traffic(site: Site) -> None:
    problem(site.client.get(f"{URL}/traffic"), 404, "deployment_not_found")
    problem(site.client.get("/v1/deployments/UPPER/traffic"), 422, "invalid_value")
