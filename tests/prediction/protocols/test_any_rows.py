"""Whatever is sent to a model of a table is read or refused; at once and in steps alike."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadRequest, Invalid
from app.inputs.table import TableInputs
from app.prediction import json_lists
from app.prediction.front import PROTOCOLS
from app.prediction.protocols.contract import Read, ended
from tests.prediction.tables import INPUTS, NAMES, ROWS, binary, tensor

INPUTS_OF_TWO = TableInputs(columns=INPUTS.columns[1:3])
TWO = [{name: row[name] for name in NAMES[1:3]} for row in ROWS]
COLUMNS = {name: [row[name] for row in TWO] for name in NAMES[1:3]}
TENSORS = [tensor(*each) for each in COLUMNS.items()]
MODEL: Any = SimpleNamespace(form="label", labels=("a", "b"), answers="probabilities")
JSON = {b"content-type": b"application/json"}
BODIES = {
    "native": ("/v1/deployments/p/predict", {"inputs": TWO}),
    "instances": ("/v1/models/p:predict", {"instances": TWO}),
    "columns": ("/v1/models/p:predict", {"inputs": COLUMNS}),
    "open inference": ("/v2/models/p/infer", {"inputs": TENSORS}),
}
pieces = st.text('0123456789.,-eE[]{}":\\ndatl \n\x00é', max_size=12).map(str.encode)


def outcome(reading: Any) -> list[Any] | str:
    """Rows, with None for NaN, or that they were refused; no other error passes."""
    try:
        read: Read = reading()
    except (BadRequest, Invalid) as refusal:
        return f"refused: {'expected' in refusal.detail}"
    rows = np.concatenate(read.parts)
    assert rows.shape[1:] == (2,)
    assert all(read.place.of(row, 1).startswith("#/") for row in range(len(rows)))
    return [[None if np.isnan(value) else value for value in row] for row in rows.tolist()]


def check(url: str, headers: dict[bytes, bytes], body: bytes) -> list[Any] | str:
    (protocol,) = (each for each in PROTOCOLS if each.match("POST", url))
    decoder = protocol.decoder(headers, b"", INPUTS_OF_TWO)
    at_once = outcome(lambda: decoder.read(body, MODEL))
    for size, shortest in ((5, 16), (64, 16), (2**13, 2**8)):  # `shape` is never taken out
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_lists, "SCANNED_BYTES", size)
            patch.setattr(json_lists, "DECODED_BYTES", size)
            patch.setattr(json_lists, "SHORTEST", shortest)
            in_steps = outcome(lambda: ended(decoder.read_in_steps(bytearray(body), MODEL)))
        assert in_steps == at_once != "refused: False"
    return at_once


@pytest.mark.parametrize(("url", "document"), BODIES.values(), ids=BODIES)
def test_whole_bodies_are_read(url: str, document: Any) -> None:
    for indent in (None, 1):
        rows = check(url, JSON, json.dumps(document, indent=indent).encode())
        assert rows == [[1.0, 40.0], [2.0, 41.5], [None, 18.0]]


@pytest.mark.parametrize(("url", "document"), BODIES.values(), ids=BODIES)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_body_is_read_or_refused(url: str, document: Any, data: Any) -> None:
    whole = json.dumps(document).encode()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 20)))
    check(url, JSON, whole[:start] + data.draw(pieces) + whole[end:])


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_binary_body_is_read_or_refused(data: Any) -> None:
    whole, said = binary(TENSORS)
    headers = {name.lower().encode(): value.encode() for name, value in said.items()}
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 20)))
    check(
        BODIES["open inference"][0],
        headers,
        whole[:start] + data.draw(st.binary(max_size=24)) + whole[end:],
    )
