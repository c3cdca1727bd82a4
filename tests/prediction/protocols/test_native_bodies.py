"""Bodies become raw values, or a problem that says where and what was expected."""

import io
import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadRequest, Invalid, KtlError
from app.prediction import json_exact
from app.prediction.heads import JSON
from app.prediction.inputs import Asked, float32
from app.prediction.json_bodies import read_plain
from app.prediction.json_exact import read_exactly
from app.prediction.protocols.contract import Read
from app.prediction.protocols.native import ENVELOPE, NPY, Native
from app.prediction.protocols.native_answers import LabelAnswers
from tests.prediction.loaded import loaded

pytestmark = pytest.mark.usefixtures("json_reader")
SHAPE = (2, 3, 1)
IMAGE = [[1, 2.5, -3], [4e1, 0, 255]]
PIXELS = np.array(IMAGE, np.float32).reshape(1, *SHAPE)


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def decode(media_type: str, body: bytes, shape: tuple[int, ...], classes: int) -> Read:
    model = loaded(shape, classes)
    decoder = Native().decoder({b"content-type": media_type.encode()}, b"", model.inputs)
    read = decoder.read(body, model)
    Asked.of(read.parts, read.place)
    return read


def inputs(read: Read) -> np.ndarray:
    with np.errstate(over="ignore"):  # `Asked` refuses what does not fit
        parts = [float32(part) for part in read.parts]
    assert all(part.dtype == np.float32 and part.flags.c_contiguous for part in parts)
    return np.concatenate(parts)


def refused(body: Any, media_type: str = JSON) -> tuple[int, str, str | None, str]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(KtlError) as raised:
        decode(media_type, raw, SHAPE, classes=5)
    error = raised.value
    pointer = error.findings[0].pointer if error.findings else None
    return error.status, error.code, pointer, error.detail


GOOD = {
    "plain": json.dumps({"inputs": [IMAGE]}).encode(),
    "channels": json.dumps({"inputs": PIXELS.tolist()}).encode(),
    "spaces": json.dumps({"inputs": [IMAGE]}, indent=3).encode(),
    "escapes": json.dumps({"inputs": [IMAGE]}).encode().replace(b"inputs", b"\\u0069nputs"),
    "null": json.dumps({"inputs": [IMAGE], "top_k": None}).encode(),
    "repeated": b'{"inputs":[7],"inputs":' + json.dumps([IMAGE]).encode() + b"}",
}


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
def test_json_is_read_with_and_without_the_single_channel(body: bytes) -> None:
    asked = decode(JSON, body, SHAPE, 5)
    np.testing.assert_array_equal(inputs(asked), PIXELS)
    assert asked.encoder == LabelAnswers()


@pytest.mark.parametrize("order", [("inputs", "top_k"), ("top_k", "inputs")])
def test_top_k_is_read_wherever_it_stands(order: tuple[str, str]) -> None:
    members = {"inputs": [IMAGE, IMAGE], "top_k": 5}
    asked = decode(JSON, json.dumps({name: members[name] for name in order}).encode(), SHAPE, 5)
    assert (len(inputs(asked)), asked.encoder) == (2, LabelAnswers(5))


QUICK = {name: GOOD[name] for name in ("plain", "channels", "spaces", "escapes", "null")} | {
    "all members": json.dumps({"top_k": 2, "inputs": [IMAGE], "raw_scores": True}).encode(),
    "repeated top_k": b'{"top_k": 9, "inputs":' + json.dumps([IMAGE]).encode() + b',"top_k":2}',
}


@pytest.mark.parametrize("body", QUICK.values(), ids=QUICK)
def test_what_is_of_the_shape_is_never_built_as_a_document(body: bytes) -> None:
    quick, exact = read_plain(body, ENVELOPE, SHAPE), read_exactly(body, ENVELOPE, SHAPE)
    assert quick is not None
    np.testing.assert_array_equal(inputs(quick), inputs(exact))
    assert quick[1:] == exact[1:]


def test_a_single_channel_is_not_left_out_where_there_are_three() -> None:
    with pytest.raises(KtlError, match=r"\[n, 2, 1, 3\], got \[1, 2, 3\]"):
        decode(JSON, GOOD["plain"], (2, 1, 3), 5)


numbers = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.none(),
    st.text(max_size=3),
)
rows = st.lists(numbers, min_size=2, max_size=4)
documents = st.fixed_dictionaries(
    {"inputs": st.lists(st.lists(st.one_of(rows, numbers), min_size=1, max_size=3), max_size=3)},
    optional={"top_k": numbers},
)


@settings(max_examples=300, deadline=None)
@given(documents)
def test_the_quick_way_agrees_with_the_exact_one(document: Any) -> None:
    body = json.dumps(document).encode()
    quick = read_plain(body, ENVELOPE, SHAPE)
    if quick is None:
        return
    exact = read_exactly(body, ENVELOPE, SHAPE)
    np.testing.assert_array_equal(inputs(quick), inputs(exact))
    assert quick[1:] == exact[1:]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([JSON, NPY]), st.integers(0, 150), st.binary())
def test_any_bytes_are_read_or_refused(
    tail: bytes, media_type: str, kept: int, middle: bytes
) -> None:
    good = GOOD["plain"] if media_type == JSON else npy(PIXELS)
    with suppress(BadRequest, Invalid):
        decode(media_type, good[:kept] + middle + tail, SHAPE, 5)


BAD = {
    "no JSON": (b'{"inputs": [', (400, "invalid_json", None)),
    "nothing": (b"", (400, "invalid_json", None)),
    "NaN": ({"inputs": [[[float("nan"), 2, 3], [4, 5, 6]]]}, (400, "invalid_json", None)),
    "before the rows": (b'{"inputs": [5[1, 2, 3], [4, 5, 6]]]}', (400, "invalid_json", None)),
    "after a row": (b'{"inputs": [[[1, 2, 3]5, [4, 5, 6]]]}', (400, "invalid_json", None)),
    "instead of a number": (b'{"inputs": [[1[, 2, 3], [4, 5, 6]]]}', (400, "invalid_json", None)),
    "no comma": (b'{"inputs": [[[1 2, 3, 4], [4, 5, 6]]]}', (400, "invalid_json", None)),
    "no number": (b'{"inputs": [[[1,, 3], [4, 5, 6]]]}', (400, "invalid_json", None)),
    "brackets in a name": (
        b'{"in[puts": [[[1, 2, 3], [4, 5, 6]]]}',
        (422, "missing_field", "#/inputs"),
    ),
    "many fields": (dict.fromkeys(map(str, range(9999))), (422, "unknown_field", "#")),
    "no object": ([1], (422, "invalid_value", "#")),
    "no inputs": ({}, (422, "missing_field", "#/inputs")),
    "unknown": ({"inputs": [IMAGE], "topk": 1}, (422, "unknown_field", "#/topk")),
    "looks alike": (
        b'{"inputs": [[[1, 2, 3], [4, 5, 6]]], "top_k2": 1}',
        (422, "unknown_field", "#/top_k2"),
    ),
    "looks alike too": (
        b'{"in puts": [[[1, 2, 3], [4, 5, 6]]]}',
        (422, "missing_field", "#/inputs"),
    ),
    "empty": ({"inputs": []}, (422, "invalid_value", "#/inputs")),
    "no list": ({"inputs": 3}, (422, "invalid_value", "#/inputs")),
    "no batch": ({"inputs": IMAGE}, (422, "wrong_shape", "#/inputs")),
    "flat": ({"inputs": [[1, 2, 3, 4, 5, 6]]}, (422, "wrong_shape", "#/inputs")),
    "too wide": ({"inputs": [[[1, 2, 3, 4], [1, 2, 3, 4]]]}, (422, "wrong_shape", "#/inputs")),
    "ragged": ({"inputs": [[[1, 2, 3], [4, 5]]]}, (422, "ragged_inputs", "#/inputs/0/1")),
    "no number in brackets": (
        {"inputs": [[[[1], [2], [3]], [[4], [], [6]]]]},
        (422, "ragged_inputs", "#/inputs/0/1/1"),
    ),
    "ragged items": ({"inputs": [IMAGE, [[1, 2, 3]]]}, (422, "ragged_inputs", "#/inputs/1")),
    "text": ({"inputs": [[[1, 2, 3], [4, "5", 6]]]}, (422, "not_a_number", "#/inputs/0/1/1")),
    "null": ({"inputs": [[[1, 2, None], [4, 5, 6]]]}, (422, "not_a_number", "#/inputs/0/0/2")),
    "bool": ({"inputs": [[[True, 2, 3], [4, 5, 6]]]}, (422, "not_a_number", "#/inputs/0/0/0")),
    "overflow": ({"inputs": [[[1e39, 2, 3], [4, 5, 6]]]}, (422, "not_finite", "#/inputs/0/0/0/0")),
    "top_k 0": ({"inputs": [IMAGE], "top_k": 0}, (422, "invalid_value", "#/top_k")),
    "top_k 6": ({"inputs": [IMAGE], "top_k": 6}, (422, "invalid_value", "#/top_k")),
    "top_k 1.5": ({"inputs": [IMAGE], "top_k": 1.5}, (422, "invalid_value", "#/top_k")),
    "top_k true": ({"inputs": [IMAGE], "top_k": True}, (422, "invalid_value", "#/top_k")),
}


@pytest.mark.parametrize(("body", "expected"), BAD.values(), ids=BAD)
def test_bad_json_is_refused_where_it_is_bad(
    body: Any, expected: tuple[int, str, str | None]
) -> None:
    assert refused(body)[:3] == expected


def test_only_the_input_that_is_wrong_is_walked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    walked, walk = [], json_exact.check_numbers

    def counting(nested: Any, shape: tuple[int, ...], pointer: str) -> None:
        walked.append(pointer)
        walk(nested, shape, pointer)

    monkeypatch.setattr(json_exact, "check_numbers", counting)
    rows = PIXELS.tolist()[0]
    wrong = [rows[0], [*rows[1][:2], [None]]]
    assert refused({"inputs": [*[rows] * 999, wrong]})[2] == "#/inputs/999/1/2/0"
    assert len(walked) <= 1 + 2 + 6 + 6


def test_a_wrong_shape_says_what_was_expected_and_what_came() -> None:
    detail = refused({"inputs": [[[1, 2]]]})[3]
    assert detail == "expected inputs of shape [n, 2, 3, 1] or [n, 2, 3], got [1, 1, 2]"


ARRAYS = {
    "float64": PIXELS.astype(np.float64),
    "big endian": PIXELS.astype(">f4"),
    "no channel": PIXELS[..., 0],
    "fortran": np.asfortranarray(np.repeat(PIXELS, 3, axis=0)),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_npy_is_read(array: np.ndarray) -> None:
    asked = decode(NPY, npy(array), SHAPE, 5)
    np.testing.assert_array_equal(inputs(asked), array.reshape(-1, *SHAPE))


def test_a_length_that_is_true_is_1() -> None:
    """As numpy itself reads it; it was an error of ours once."""
    body = npy(PIXELS).replace(b"(1, 2", b"(True, 2").replace(b"   \n", b"\n")
    np.testing.assert_array_equal(inputs(decode(NPY, body, SHAPE, 5)), PIXELS)


def huge() -> bytes:
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**12, *SHAPE)}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


BAD_ARRAYS = {
    "no npy": (b"PK\x03\x04", (400, "invalid_npy", None)),
    "cut": (npy(PIXELS)[:-1], (400, "invalid_npy", None)),
    "longer": (npy(PIXELS) + b"x", (400, "invalid_npy", None)),
    "promises a terabyte": (huge(), (400, "invalid_npy", None)),
    "pickled": (npy(np.array([[[[{}]]]], dtype=object)), (422, "not_a_number", "#/inputs")),
    "text": (npy(PIXELS.astype("U4")), (422, "not_a_number", "#/inputs")),
    "shape": (npy(PIXELS.reshape(1, 3, 2, 1)), (422, "wrong_shape", "#/inputs")),
    "scalar": (npy(np.float32(1)), (422, "wrong_shape", "#/inputs")),
    "empty": (npy(PIXELS[:0]), (422, "wrong_shape", "#/inputs")),
    "NaN": (npy(np.where(PIXELS == 255, np.nan, PIXELS)), (422, "not_finite", "#/inputs/0/1/2/0")),
}


@pytest.mark.parametrize(("body", "expected"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_bad_npy_is_refused(body: bytes, expected: tuple[int, str, str | None]) -> None:
    assert refused(body, NPY)[:3] == expected


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_other_media_are_refused(media_type: str) -> None:
    status, code, _, detail = refused(GOOD["plain"], media_type)
    assert (status, code) == (415, "unsupported_media_type")
    assert "application/json" in detail
