"""JSON bodies built whole: small ones, to find out what is wrong with them."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from app.inputs.dense import check_numbers, lengths_of, taken_shapes
from app.prediction.inputs import Place
from app.prediction.json_envelope import Envelope, document_of
from app.prediction.protocols.contract import Read
from app.prediction.shapes import brackets, skeleton_of, wrong_shape


def read_exactly(body: bytes, envelope: Envelope, shape: tuple[int, ...]) -> Read:
    """Builds the whole document; for what is small. Raises BadRequest or Invalid."""
    rows, frame = envelope.look(document_of(body), False)
    flat: tuple[int, ...] = ()
    if frame.stated is not None:
        frame.stated.check_shape(shape)
        flat = () if isinstance(rows[0], list) else shape
    got = lengths_of(rows)
    if got[1:] not in taken_shapes(() if flat else shape):
        raise wrong_shape(shape, got, frame.place.at)
    skeleton = brackets(got[1:])
    for index, one in enumerate(rows):
        if skeleton_of(orjson.dumps(one)) != skeleton:  # to walk through all takes too long
            check_numbers(one, got[1:], frame.place.of(index))
    values = _array(rows, got[1:], frame.place)
    if frame.stated is not None and flat and len(values) != math.prod(frame.stated.shape):
        raise frame.stated.wrong_count(len(values), frame.place)
    return frame.read([frame.checked(values.reshape(-1, *shape), flat)], flat)


def _array(rows: list[Any], shape: tuple[int, ...], place: Place) -> npt.NDArray[np.float64]:
    """Raises Invalid where a row only looks as it should: `[]` is `[5]` without its number."""
    try:
        return np.asarray(rows, dtype=np.float64)
    except ValueError:
        for index, one in enumerate(rows):
            check_numbers(one, shape, place.of(index))
        raise
