"""Large bodies are read in steps, and what is not of the shape is refused before it is built."""

import json
import tracemalloc
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadRequest, Invalid, KtlError
from app.prediction import json_steps
from app.prediction.json_bodies import read_plain
from app.prediction.json_exact import read_exactly
from app.prediction.protocols.contract import Read
from app.prediction.protocols.native import ENVELOPE
from tests.prediction.protocols.test_native_bodies import BAD, QUICK, SHAPE, inputs

pytestmark = pytest.mark.usefixtures("json_reader")
IMAGE = [[1, 2.5, -3], [4e1, 0, 255]]
MIB = 2**20


def steps(body: bytes, shape: tuple[int, ...] = SHAPE) -> tuple[Read | KtlError, int]:
    """What they lead to, and how many were begun."""
    reading, begun = json_steps.read_in_steps(body, ENVELOPE, shape), 0
    while True:
        begun += 1
        try:
            next(reading)
        except StopIteration as end:
            return end.value, begun
        except (BadRequest, Invalid) as error:
            return error, begun


@pytest.fixture(params=[1, 2, 7, 64])
def step_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(json_steps, "STEP_BYTES", request.param)
    return int(request.param)


@pytest.mark.parametrize("body", QUICK.values(), ids=QUICK)
def test_good_bodies_are_read_as_at_once(body: bytes, step_bytes: int) -> None:
    read, _ = steps(body)
    at_once = read_exactly(body, ENVELOPE, SHAPE)
    assert isinstance(read, Read)
    np.testing.assert_array_equal(inputs(read), inputs(at_once))
    assert read[1:] == at_once[1:]


@pytest.mark.parametrize("name", BAD)
def test_bad_bodies_are_refused(name: str, step_bytes: int) -> None:
    """All but a wrong number of labels and infinite values, which are looked at afterwards."""
    body, (_, code, _) = BAD[name]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    if name not in {"top_k 6", "overflow"}:
        refusal, _ = steps(raw)
        assert isinstance(refusal, KtlError)
        assert refusal.code in {code, "wrong_shape"} or name == "brackets in a name"


@pytest.mark.parametrize(
    ("wrong", "row"), [([[1, 2, 3], [4, 5]], 2), ([[1, 2, 3], [4, "5", 6]], 2)]
)
def test_the_input_that_is_wrong_is_named(wrong: Any, row: int, step_bytes: int) -> None:
    refusal, _ = steps(json.dumps({"inputs": [IMAGE, IMAGE, wrong, IMAGE]}).encode())
    assert isinstance(refusal, Invalid)
    assert refusal.findings[0].pointer == f"#/inputs/{row}"
    assert f"input {row}" in str(refusal)


digits = st.text('0123456789.,-eE[]{}" \n', max_size=40)


@settings(max_examples=400, deadline=None)
@given(digits, st.integers(1, 9), st.integers(0, 60), st.integers(0, 60))
def test_steps_take_exactly_what_the_plain_way_takes(
    middle: str, size: int, start: int, end: int
) -> None:
    good = json.dumps({"inputs": [IMAGE, IMAGE]}).encode()
    body = good[:start] + middle.encode() + good[end:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_steps, "STEP_BYTES", size)
        read, _ = steps(body)
    plain = read_plain(body, ENVELOPE, SHAPE)
    assert isinstance(read, Read) == (plain is not None)
    if isinstance(read, Read) and plain is not None:
        np.testing.assert_array_equal(inputs(read), inputs(plain))


def of_numbers(shape: tuple[int, ...], rows: int) -> bytes:
    row = orjson.dumps(np.ones(shape).tolist())
    return b'{"inputs":[' + b",".join([row] * rows) + b"]}"


ATTACKS = {
    "empty lists": b'{"inputs":[' + b"[]," * (2 * MIB // 3) + b"[]]}",
    "nested lists": b'{"inputs":' + b"[" * MIB + b"]" * MIB + b"}",
    "open lists": b"[" * 2 * MIB,
    "a long text": b'{"inputs":["' + b"a" * 2 * MIB + b'"]}',
    "many texts": b'{"inputs":[' + b'"",' * (2 * MIB // 3) + b'""]}',
    "many fields": b"{" + b'"a":1,' * (2 * MIB // 6) + b'"inputs":[[]]}',
    "many fields with lists": b"{" + b'"a":[],' * (2 * MIB // 7) + b'"inputs":[[]]}',
    "one long number": b'{"inputs":[' + b"9" * 2 * MIB + b"]}",
    "long numbers": b'{"inputs":[' + (b"9" * 10_000 + b",") * 200 + b"1]}",
    "space": b'{"inputs":[' + b" " * 2 * MIB + b"]}",
    "space around": b" " * 2 * MIB + b'{"inputs":[[[1,2,3],[4,5,6]]]}',
    "no JSON": b"\xff" * 2 * MIB,
    "other rows": of_numbers((3, 3), MIB // 40),
}


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the texts of which something was built."""
    sizes: list[int] = []
    numbers_in, document_of = json_steps.numbers_in, json_steps.document_of

    def counting(text: bytes, read: Any) -> Any:
        sizes.append(len(text))
        return read(text)

    monkeypatch.setattr(json_steps, "numbers_in", lambda text: counting(text, numbers_in))
    monkeypatch.setattr(json_steps, "document_of", lambda text: counting(text, document_of))
    return sizes


@pytest.mark.parametrize("body", ATTACKS.values(), ids=ATTACKS)
def test_of_an_attack_nothing_is_built(body: bytes, built: list[int]) -> None:
    tracemalloc.start()
    try:
        refusal, begun = steps(body, (28, 28, 1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(refusal, KtlError)
    assert str(refusal)
    assert sum(built) <= 2 * ENVELOPE.frame_bytes
    assert begun <= 2 or b"[ " in body[:20] or body.count(b"9") > MIB  # those are no more than text
    assert peak < 2 * len(body)


def test_each_step_takes_a_bounded_text(built: list[int]) -> None:
    read, begun = steps(of_numbers((28, 28, 1), 700), (28, 28, 1))
    assert isinstance(read, Read)
    assert sum(map(len, read.parts)) == 700
    one_row = len(of_numbers((28, 28, 1), 1))
    assert max(built) <= json_steps.STEP_BYTES + one_row
    assert begun >= len(built) > 40
