"""Whatever is sent, each protocol reads it or refuses it; at once, exactly and in steps alike."""

import json
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadRequest, Invalid
from app.prediction import json_steps
from app.prediction.front import PROTOCOLS
from app.prediction.inputs import Asked
from app.prediction.protocols.contract import Decoder, Read
from tests.prediction.loaded import loaded
from tests.prediction.protocols.test_open_inference import LENGTH, binary
from tests.prediction.site import SHAPE
from tests.prediction.ways import WAYS, Way

MODEL = loaded(SHAPE, 3)
PIXELS = np.arange(32, dtype=np.uint8).reshape(2, *SHAPE)
JSON = {b"content-type": b"application/json"}
pieces = st.text('0123456789.,-eE[]{}":ndatl \n', max_size=12).map(str.encode)


def decoder_of(way: Way, headers: dict[bytes, bytes]) -> Decoder:
    (protocol,) = (each for each in PROTOCOLS if each.match("POST", way.url))
    return protocol.decoder(headers, b"", MODEL.inputs)


def outcome(reading: Any) -> Read | str:
    """What was read, or why it was refused; no other error passes."""
    try:
        read = reading()
        Asked.of(read.parts, read.place)
    except (BadRequest, Invalid) as refusal:
        return refusal.detail
    assert isinstance(read, Read)
    return read


def ended(steps: Generator[None, None, Read]) -> Read:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            read: Read = end.value
            return read


def check(decoder: Decoder, body: bytes, size: int) -> None:
    at_once = outcome(lambda: decoder.read(body, MODEL))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_steps, "STEP_BYTES", size)
        in_steps = outcome(lambda: ended(decoder.read_in_steps(bytearray(body), MODEL)))
    if isinstance(in_steps, Read):
        assert isinstance(at_once, Read)
        np.testing.assert_array_equal(np.concatenate(in_steps.parts), np.concatenate(at_once.parts))
        assert in_steps[1:] == at_once[1:]


@pytest.mark.parametrize("name", WAYS)
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 250), st.integers(0, 40), pieces, st.integers(1, 9))
def test_a_changed_body_is_read_or_refused(
    name: str, start: int, left_out: int, piece: bytes, size: int
) -> None:
    way = WAYS[name]
    good = json.dumps(way.body(PIXELS)).encode()
    decoder = decoder_of(way, JSON)
    check(decoder, good[:start] + piece + good[start + left_out :], size)
    check(decoder, good[: len(good) - start] + piece + good[len(good) - start + left_out :], size)


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("size", [1, 7, 64, 2**16])
def test_a_good_body_is_read_alike(name: str, size: int) -> None:
    way = WAYS[name]
    body, decoder = json.dumps(way.body(PIXELS)).encode(), decoder_of(WAYS[name], JSON)
    read = outcome(lambda: decoder.read(body, MODEL))
    assert isinstance(read, Read)
    np.testing.assert_array_equal(np.concatenate(read.parts), PIXELS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_steps, "STEP_BYTES", size)
        stepped = ended(decoder.read_in_steps(bytearray(body), MODEL))
    np.testing.assert_array_equal(np.concatenate(stepped.parts), PIXELS)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 400), st.integers(0, 40), pieces, st.integers(-3, 3))
def test_changed_binary_data_are_read_or_refused(
    start: int, left_out: int, piece: bytes, more: int
) -> None:
    body, headers = binary(PIXELS, "UINT8")
    length = int(headers[LENGTH]) + more
    said = {LENGTH.lower().encode(): str(length).encode()}
    decoder = decoder_of(WAYS["open inference, flat"], said)
    check(decoder, body[:start] + piece + body[start + left_out :], 64)
