"""Calibrated and raw scores, and doubts about the inputs, over HTTP."""

from typing import Any

import httpx
import numpy as np
import pytest

from tests.prediction.protocols.test_native import URL, expected, images, npy
from tests.prediction.site import SHAPE, Site, problem, softmax, weights

# Prediction reads no more of the database than tests/deployments do.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_scores_are_calibrated_and_raw_ones_stay_available(site: Site) -> None:
    site.deploy("pets", site.add_model(1, temperature=4.0))
    array = images(5)
    calibrated = site.client.post(URL, json={"inputs": array.tolist()}).json()
    assert (calibrated["calibrated"], calibrated["temperature"]) == (True, 4)

    def ask_npy(query: str = "") -> Any:
        headers = {"Content-Type": "application/x-npy"}
        return site.client.post(URL + query, content=npy(array), headers=headers).json()

    assert ask_npy() == calibrated
    raw = site.client.post(URL, json={"inputs": array.tolist(), "raw_scores": True}).json()
    assert (raw["calibrated"], raw["temperature"]) == (False, 1)
    assert ask_npy("?raw_scores=true") == raw
    assert ask_npy("?raw_scores=false") == calibrated

    logits = array.reshape(len(array), -1) @ weights(1)
    for body, scores in ((calibrated, softmax(logits / 4)), (raw, softmax(logits))):
        found = [one["score"] for one in body["outputs"]]
        np.testing.assert_allclose(found, scores.max(axis=1), atol=1e-5)
        assert [one["label"] for one in body["outputs"]] == ["dog"] * 5


def test_raw_scores_are_ranked_as_the_calibrated_ones(site: Site) -> None:
    """Where the network is so sure that all raw scores but one are 0, too."""
    site.deploy("pets", site.add_model(1, slope=-1.0, temperature=100.0))
    question: dict[str, Any] = {"inputs": images(3).tolist(), "top_k": 3}
    ranked, raw = (
        site.client.post(URL, json=question | {"raw_scores": is_raw}).json()["outputs"]
        for is_raw in (False, True)
    )
    for one, other in zip(ranked, raw, strict=True):
        assert [each["label"] for each in one["scores"]] == ["cat", "eel", "dog"]
        assert [each["label"] for each in other["scores"]] == ["cat", "eel", "dog"]
        assert other["label"] == one["label"]
        assert other["scores"][0]["score"] == other["score"] == pytest.approx(0.5)


def test_a_model_of_an_earlier_release_is_served_and_is_not_calibrated(site: Site) -> None:
    """It has neither a temperature nor a range: its scores are its own, all values are taken."""
    site.deploy("pets", site.add_model(1))
    array = images(2) / 255
    for question in ({"inputs": array.tolist()}, {"inputs": array.tolist(), "raw_scores": True}):
        body = site.client.post(URL, json=question).json()
        assert body.keys() == {"deployment", "model", "calibrated", "temperature", "outputs"}
        assert (body["calibrated"], body["temperature"]) == (False, 1)
        found = [one["score"] for one in body["outputs"]]
        np.testing.assert_allclose(found, expected(array).max(axis=1), atol=1e-5)
    assert site.client.post(URL, json={"inputs": (array - 300).tolist()}).status_code == 200


@pytest.mark.parametrize("said", ["raw_scores=", "raw_scores=yes"])
def test_a_parameter_that_is_no_truth_is_named(site: Site, said: str) -> None:
    site.deploy("pets", site.add_model())
    answer = site.client.post(f"{URL}?{said}", json={"inputs": images(1).tolist()})
    assert problem(answer, 422, "invalid_value")["errors"][0]["parameter"] == "raw_scores"


@pytest.mark.parametrize("is_npy", [False, True])
def test_inputs_on_another_scale_are_refused_or_warned_of(site: Site, is_npy: bool) -> None:
    site.deploy("pets", site.add_model(1, value_range=[0, 255]))

    def ask(array: np.ndarray) -> httpx.Response:
        if not is_npy:
            return site.client.post(URL, json={"inputs": array.tolist()})
        return site.client.post(
            URL, content=npy(array), headers={"Content-Type": "application/x-npy"}
        )

    array = images(2)
    body = problem(ask(array / 255), 422, "wrong_scale")
    assert "multiplied by 255" in body["detail"]
    assert body["errors"][0]["pointer"] == "#/inputs"
    assert "warnings" not in ask(array / 255 * 255).json()

    over = array.astype(np.float32)
    over[1, 2, 3, 0] = 256
    body = problem(ask(over), 422, "out_of_range")
    assert body["errors"][0]["pointer"] == "#/inputs/1/2/3/0"
    assert "warnings" not in ask(np.clip(over, 0, 255)).json()

    over[1, 2, 3, 0] = 1.5
    assert "warnings" not in ask(over).json()
    body = ask(array % 2).json()
    assert [warning["code"] for warning in body["warnings"]] == ["wrong_scale"]
    assert len(body["outputs"]) == 2


def test_a_large_request_is_held_against_the_range_too(site: Site) -> None:
    site.deploy("pets", site.add_model(1, dtype="float32", value_range=[0, 1]))
    array = np.ones((2**16 // 16, *SHAPE), np.float32)
    array[-1, 0, 0, 0] = 3
    body = site.client.post(
        URL, content=npy(array), headers={"Content-Type": "application/x-npy"}
    ).json()
    assert body["warnings"][0]["pointer"] == f"#/inputs/{len(array) - 1}/0/0/0"
    assert body["warnings"][0]["code"] == "out_of_range"
