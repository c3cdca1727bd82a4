"""Large requests: their answers, their limits, and whom they let go first."""

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from starlette.types import Message

from app.errors import TooSlow
from app.prediction import bodies, large
from app.prediction.bodies import SMALL_BYTES, BodyStart, Limit
from app.prediction.heads import JSON
from app.prediction.large import LargeRequests, Question
from app.prediction.protocols.contract import Answer
from app.prediction.protocols.native import Native
from app.traffic.tally import Tally
from tests.prediction.loaded import loaded
from tests.prediction.site import (
    LABELS,
    SHAPE,
    Site,
    problem,
    site_on_sqlite,
    softmax,
    weights,
)

URL = "/v1/deployments/pets/predict"
NPY = {"Content-Type": "application/x-npy"}
JSON_LIMIT = 2**20
LIMIT = Limit(10**8)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_on_sqlite(tmp_path, predict_json_limit_bytes=JSON_LIMIT) as site:
        site.deploy("pets", site.add_model(1, value_range=[0, 255]))
        yield site


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *SHAPE), dtype=np.uint8)


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def expected(array: np.ndarray) -> np.ndarray:
    return softmax(array.reshape(len(array), -1) @ weights(1))


def test_large_json_is_answered_as_npy_is_and_in_order(site: Site) -> None:
    array = images(5000)
    text = json.dumps({"top_k": 2, "inputs": array.tolist()}).encode()
    assert 2 * SMALL_BYTES < len(text) < JSON_LIMIT
    answer = site.client.post(URL, content=text, headers={"Content-Type": JSON})
    outputs, scores = answer.json()["outputs"], expected(array)
    found = [one["score"] for one in outputs]
    np.testing.assert_allclose(found, scores.max(axis=1), atol=1e-5)
    assert [one["label"] for one in outputs] == [LABELS[i] for i in scores.argmax(axis=1)]
    assert all(len(one["scores"]) == 2 for one in outputs)
    binary = site.client.post(URL, content=npy(array), headers=NPY).json()
    assert [(one["label"], one["score"]) for one in binary["outputs"]] == [
        (one["label"], one["score"]) for one in outputs
    ]
    fortran = site.client.post(URL, content=npy(np.asfortranarray(array)), headers=NPY)
    assert fortran.json()["outputs"] == binary["outputs"]


def with_one(value: Any, at: int) -> bytes:
    rows = images(5000).tolist()
    rows[at][1][2][0] = value
    return json.dumps({"inputs": rows}).encode()


@pytest.mark.parametrize(
    ("value", "code", "pointer"),
    [
        (None, "wrong_shape", "#/inputs/4321"),
        (256, "out_of_range", "#/inputs/4321/1/2/0"),
        (1e39, "not_finite", "#/inputs/4321/1/2/0"),
    ],
)
def test_what_is_wrong_in_a_large_body_is_found(
    site: Site, value: Any, code: str, pointer: str
) -> None:
    answer = site.client.post(URL, content=with_one(value, 4321), headers={"Content-Type": JSON})
    assert problem(answer, 422, code)["errors"][0]["pointer"] == pointer


def test_json_has_a_lower_limit_of_its_own(site: Site) -> None:
    body = b'{"inputs":[' + b"[]," * (JSON_LIMIT // 3) + b"[]]}"
    answer = site.client.post(URL, content=body, headers={"Content-Type": JSON})
    detail = problem(answer, 413, "too_large")["detail"]
    assert f"at most {JSON_LIMIT} bytes" in detail
    assert ".npy" in detail
    array = images(JSON_LIMIT // 16)
    assert site.client.post(URL, content=npy(array), headers=NPY).status_code == 200


def test_more_scores_than_an_answer_holds_are_not_computed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "SCORES_LIMIT", 3000)
    for count, top_k, status in ((1000, 3, 200), (1001, 3, 422), (3000, 1, 200)):
        question = {"inputs": images(count).tolist(), "top_k": top_k}
        answer = site.client.post(URL, json=question)
        assert answer.status_code == status
    answer = site.client.post(URL, content=npy(images(5000)), headers=NPY)
    assert "5000 inputs" in problem(answer, 422, "too_many_scores")["detail"]


class Engine:
    """Answers class 0, and notes the sizes of its runs."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    def run(self, _: Any, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.runs.append(len(feeds["inputs"]))
        return [np.tile(np.float32([0.75, 0.25]), (len(feeds["inputs"]), 1))]


def question(engine: Any) -> Question:
    decoder = Native().decoder({b"content-type": JSON.encode()}, b"", loaded(SHAPE, 3).inputs)
    return Question("pets", loaded((2, 2), 2, engine), decoder, Tally())


def body(rows: int) -> bytes:
    return b'{"inputs":[' + b",".join([b"[[1,2],[3,4]]"] * rows) + b"]}"


async def nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def test_small_requests_go_between_the_steps_of_a_large_one() -> None:
    engine = Engine()
    asked = question(engine)
    rows = 40_000

    async def scenario() -> int:
        reading = asyncio.ensure_future(
            LargeRequests().read_and_answer(
                "key", asked, BodyStart(body(rows), True), nothing, LIMIT
            )
        )
        small = 0
        while not reading.done():
            await asked.loaded.batcher.run(np.ones((1, 2, 2), np.float32))
            await asyncio.sleep(0)
            small += 1
        outputs = json.loads(reading.result().content)["outputs"]
        assert outputs == [{"label": "0", "score": 0.75}] * rows
        return small

    assert asyncio.run(scenario()) > len(body(rows)) / 2**16 + rows / 1024
    assert max(engine.runs) <= 1024


def test_a_key_has_one_large_request_at_a_time_and_holds_up_no_other_key() -> None:
    """The second body of a key is not even asked for before the first is answered."""
    asked = question(Engine())
    began: list[str] = []

    async def scenario() -> None:
        gate, everyone = asyncio.Event(), LargeRequests()

        def sender(name: str, is_slow: bool) -> Any:
            async def receive() -> Message:
                began.append(name)
                if is_slow:
                    await gate.wait()
                return cast(Message, await nothing())

            return receive

        def ask(key: str, name: str, is_slow: bool = False) -> asyncio.Future[Answer]:
            receive = sender(name, is_slow)
            return asyncio.ensure_future(
                everyone.read_and_answer(key, asked, BodyStart(body(9000), False), receive, LIMIT)
            )

        slow, behind = ask("one", "slow", is_slow=True), ask("one", "behind")
        await ask("two", "other")
        assert began == ["slow", "other"]
        gate.set()
        await asyncio.gather(slow, behind)

    asyncio.run(scenario())
    assert began == ["slow", "other", "behind"]


def test_a_large_body_that_does_not_come_gives_its_turn_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "ARRIVAL_SECONDS", 0.01)

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def scenario() -> None:
        everyone = LargeRequests()
        with pytest.raises(TooSlow, match="send fewer inputs"):
            await everyone.read_and_answer(
                "key", question(Engine()), BodyStart(b"", False), never, LIMIT
            )
        assert await everyone.read_and_answer(
            "key", question(Engine()), BodyStart(body(1), True), nothing, LIMIT
        )

    asyncio.run(scenario())
