"""Bodies of the native protocol -> raw values (n, height, width, channels) float32.

JSON takes the quick way when it is written as our shape must be: simdjson copies all numbers into
one buffer, and the text without its numbers must equal the brackets and commas of the shape. All
else takes the exact way, which also finds out what is wrong.
"""

import io
import math
import threading
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import simdjson
from pydantic import ValidationError

from app.deployments.schemas import PredictIn
from app.errors import BadRequest, Invalid, UnsupportedMedia, invalid
from app.findings import invalid_from
from app.prediction.sessions import Array

JSON, NPY = "application/json", "application/x-npy"

KEPT_PARSER_BYTES = 2**20
_NUMBERS_AND_SPACE = b"0123456789+-.eE \t\r\n"
_local = threading.local()  # a parser serves one document at a time


class Asked(NamedTuple):
    """`inputs` (n, *shape) float32, finite, n >= 1, and their extremes; `top_k` 1..classes, or
    None."""

    inputs: Array
    least: float
    largest: float
    top_k: int | None
    raw_scores: bool


class Read(NamedTuple):
    """What a body says, before it is checked."""

    inputs: Array
    top_k: int | None = None
    raw_scores: bool = False


def decode(media_type: str, body: bytes, shape: tuple[int, ...], classes: int) -> Asked:
    """Raises BadRequest, UnsupportedMedia or Invalid."""
    if media_type == JSON:
        read = _quick(body, shape) or _exact(body, shape)
    elif media_type == NPY:
        read = Read(_npy(body, shape))
    else:
        detail = f"expected {JSON} or {NPY}, got {media_type[:80] or 'no Content-Type'}"
        raise UnsupportedMedia("unsupported_media_type", detail)
    if read.top_k is not None and read.top_k > classes:
        detail = f"expected at most {classes}, the number of classes, got {read.top_k}"
        raise invalid("invalid_value", detail, "#/top_k")
    least, largest = float(read.inputs.min()), float(read.inputs.max())
    if not math.isfinite(least) or not math.isfinite(largest):  # a NaN is both
        wrong = ~np.isfinite(read.inputs)
        detail = f"expected finite float32 values, got {int(wrong.sum())} that are not"
        raise invalid("not_finite", detail, pointer_to_first(wrong))
    return Asked(read.inputs, least, largest, read.top_k, read.raw_scores)


def pointer_to_first(wrong: npt.NDArray[np.bool_]) -> str:
    """Of the inputs that are true in `wrong` (n, *shape), at least one."""
    return f"#/inputs/{'/'.join(map(str, np.argwhere(wrong)[0]))}"


def _quick(body: bytes, shape: tuple[int, ...]) -> Read | None:
    """None: take the exact way."""
    skeleton = body.translate(None, _NUMBERS_AND_SPACE)
    if not skeleton.startswith(b'{"inputs":[') or not skeleton.endswith((b"]}", b'],"top_k":}')):
        return None
    document: Any = None
    inputs: Any = None
    try:
        document = _parser(len(body)).parse(body)
        inputs = document["inputs"]
        rows, numbers = len(inputs), np.frombuffer(inputs.as_buffer(of_type="d"))
        top_k = document.get("top_k")
    except (KeyError, ValueError, TypeError, RuntimeError):  # simdjson: this is not it
        return None
    finally:
        document = inputs = None  # a parser that still has children refuses the next document
    inputs_only = skeleton.removesuffix(b"}").removesuffix(b',"top_k":')
    if not rows or len(numbers) != rows * math.prod(shape):  # first: it bounds what is built below
        return None
    if all(
        inputs_only != b'{"inputs":[' + b",".join([_brackets(taken)] * rows) + b"]"
        for taken in _taken_shapes(shape)
    ):
        return None
    if len(inputs_only) + 1 < len(skeleton) and (type(top_k) is not int or top_k < 1):
        return None  # a wrong value; or `top_k2`, which looks alike without its number
    return Read(_float32(numbers).reshape(rows, *shape), top_k)


def _parser(size: int) -> Any:
    """A parser keeps the memory that its largest document took: ten times the text."""
    if size > KEPT_PARSER_BYTES:
        return simdjson.Parser()
    if not hasattr(_local, "parser"):
        _local.parser = simdjson.Parser()
    return _local.parser


@lru_cache(maxsize=256)
def _brackets(shape: tuple[int, ...]) -> bytes:
    """How an array of this shape looks without its numbers."""
    inner = _brackets(shape[1:]) if shape[1:] else b""
    return b"[" + b",".join([inner] * shape[0]) + b"]"


def _taken_shapes(shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """A single channel may be left out."""
    return (shape, shape[:-1]) if shape[-1] == 1 else (shape,)


def _exact(body: bytes, shape: tuple[int, ...]) -> Read:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        detail = f"expected a JSON document (NaN and Infinity are not JSON), got: {error}"
        raise BadRequest("invalid_json", detail) from None
    try:
        request = PredictIn.model_validate(document)
    except ValidationError as error:
        raise invalid_from(error, document) from None
    got = _shape_of(request.inputs)
    if got[1:] not in _taken_shapes(shape):
        raise _wrong_shape(shape, list(got))
    _walk(request.inputs, got, "#/inputs")
    values = _float32(np.asarray(request.inputs, dtype=np.float64))
    return Read(values.reshape(len(values), *shape), request.top_k, request.raw_scores)


def _shape_of(nested: Any) -> tuple[int, ...]:
    """The lengths along the first element of each list."""
    lengths: list[int] = []
    while isinstance(nested, list):
        lengths.append(len(nested))
        nested = nested[0] if nested else None
    return tuple(lengths)


def _walk(nested: Any, shape: tuple[int, ...], pointer: str) -> None:
    """Raises Invalid at the first element that is not as `shape` says."""
    if not shape:
        if type(nested) not in {int, float}:
            raise invalid("not_a_number", f"expected a number, got {_kind(nested)}", pointer)
        return
    if not isinstance(nested, list) or len(nested) != shape[0]:
        got = f"an array of {len(nested)}" if isinstance(nested, list) else _kind(nested)
        raise invalid("ragged_inputs", f"expected an array of {shape[0]}, got {got}", pointer)
    for index, element in enumerate(nested):
        _walk(element, shape[1:], f"{pointer}/{index}")


def _npy(body: bytes, shape: tuple[int, ...]) -> Array:
    """The header is read and held against the body's length before anything is allocated."""
    stream = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(stream)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        got, is_fortran, dtype = read(stream)
    except Exception as error:  # numpy reads the header as Python, and raises what Python raises
        detail = f"expected a .npy file, got other bytes: {str(error)[:200]}"
        raise BadRequest("invalid_npy", detail) from None
    if dtype.kind not in "uif":
        raise invalid("not_a_number", f"expected an array of numbers, got {dtype}", "#/inputs")
    if not got or not got[0] or got[1:] not in _taken_shapes(shape):
        raise _wrong_shape(shape, list(got))
    data = memoryview(body)[stream.tell() :]
    if len(data) != (expected := dtype.itemsize * math.prod(got)):
        detail = f"expected {expected} bytes of data for the shape {list(got)}, got {len(data)}"
        raise BadRequest("invalid_npy", detail)
    array = np.frombuffer(data, dtype).reshape(got, order="F" if is_fortran else "C")
    return np.ascontiguousarray(_float32(array)).reshape(len(array), *shape)


def _float32(values: npt.NDArray[Any]) -> Array:
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, and is found as such
        return values.astype(np.float32)


def _wrong_shape(shape: tuple[int, ...], got: list[int]) -> Invalid:
    expected = " or ".join(f"[n, {', '.join(map(str, taken))}]" for taken in _taken_shapes(shape))
    return invalid("wrong_shape", f"expected inputs of shape {expected}, got {got}", "#/inputs")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {dict: "an object", list: "an array", str: "text", bool: "a boolean"}
    return names.get(type(value), "a number")
