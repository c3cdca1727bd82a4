"""Numbers are the same numbers with simdjson and without it."""

import subprocess
import sys
from typing import Any

import numpy as np
import orjson
import pytest
import simdjson
from hypothesis import given, settings
from hypothesis import strategies as st

from app.prediction import json_numbers
from app.prediction.json_numbers import Numbers, numbers_in

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**64 - 1)


def read(text: bytes, module: Any) -> Numbers | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_numbers, "simdjson", module)
        return numbers_in(text)


def test_nested_numbers_are_read_flat(json_reader: str) -> None:
    found = numbers_in(b"[[1, -2.5],\n [1e2, 18446744073709551615]]")
    assert found is not None
    assert found.dtype == np.float64
    assert found.tolist() == [1, -2.5, 100, 2.0**64]


@pytest.mark.parametrize("text", [b"[1,]", b"[01]", b"[1 2]", b"[1]]", b"[1e400]", b"[+1]", b"["])
def test_what_is_no_json_is_refused(text: bytes, json_reader: str) -> None:
    assert numbers_in(text) is None


@pytest.mark.parametrize("text", [b"[18446744073709551616]", b"[-9223372036854775809]"])
def test_integers_beyond_64_bits_are_numbers(text: bytes, json_reader: str) -> None:
    found = numbers_in(text)
    assert found is not None
    assert found.tolist() == [float(text[1:-1])]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(numbers, min_size=2, max_size=2)))
def test_both_ways_read_the_same_bits(nested: list[list[Any]]) -> None:
    text = orjson.dumps(nested)
    quick, plain = read(text, simdjson), read(text, None)
    assert quick is not None
    assert plain is not None
    assert quick.tobytes() == plain.tobytes()


@settings(max_examples=500, deadline=None)
@given(st.text("0123456789.,-+eE \n", max_size=40))
def test_both_ways_refuse_the_same_texts(text: str) -> None:
    row = f"[{text}]".encode()
    quick, plain = read(row, simdjson), read(row, None)
    assert (quick is None) == (plain is None)
    if quick is not None and plain is not None:
        assert quick.tobytes() == plain.tobytes()


def test_simdjson_is_taken_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_numbers, "orjson", None)
    found = read(b"[1, 2]", simdjson)
    assert found is not None
    assert found.tolist() == [1, 2]


def test_bodies_are_read_where_simdjson_is_not_installed() -> None:
    script = """
import sys
sys.modules["simdjson"] = None
from app.prediction import json_bodies
from app.prediction.protocols.native import ENVELOPE
read = json_bodies.read(b'{"inputs": [[[1], [2]]]}', ENVELOPE, (2, 1))
assert read.parts[0].tolist() == [[[1], [2]]]
"""
    subprocess.run([sys.executable, "-c", script], check=True)
