"""Bodies of the Open Inference Protocol -> raw values, and probabilities -> its answers.

Numbers stand in the JSON (`data`), or after it as bytes: Triton's extension `binary_tensor_data`.
"""

import math
import re
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import orjson

from app.errors import BadRequest, Finding, Invalid, KtlError, invalid
from app.prediction import json_bodies, json_exact, json_steps
from app.prediction.bodies import SMALL_BYTES
from app.prediction.feeds import Array
from app.prediction.inputs import Place, cut
from app.prediction.json_envelope import Frame, advice, document_of, validated
from app.prediction.protocols import open_inference_schemas as schemas
from app.prediction.protocols.contract import Answer, AnsweredRequest, BodyKind, Read, Steps
from app.prediction.served import Loaded
from app.prediction.stated import Stated

OCTETS = "application/octet-stream"
JSON_LENGTH = "Inference-Header-Content-Length"
LIGHTER = f"binary data ({JSON_LENGTH})"
DTYPES = {
    **{f"UINT{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
}
TENSOR = "#/inputs/0"
PLACE = Place(f"{TENSOR}/data")
_DATA = re.compile(rb'"data"\s*:\s*\[')


class TensorDecoder(NamedTuple):
    """Reads the model's one tensor. `json_length`: bytes of JSON, where binary data follow."""

    json_length: int | None

    @property
    def body(self) -> BodyKind:
        return "text" if self.json_length is None else "binary"

    def read(self, body: bytes, loaded: Loaded) -> Read:
        envelope, shape = _envelope(loaded.tensor.name, loaded.answers), loaded.session.shape
        if self.json_length is None:
            return json_bodies.read(body, envelope, shape)
        return envelope.binary(body, self.json_length, shape)

    def read_in_steps(self, body: bytearray, loaded: Loaded) -> Steps[Read]:
        envelope, shape = _envelope(loaded.tensor.name, loaded.answers), loaded.session.shape
        if self.json_length is None:
            return (yield from json_steps.read_in_steps(body, envelope, shape))
        return envelope.binary(body, self.json_length, shape)


class _InferEnvelope:
    frame_bytes = 2**10
    rows_in = "`data` of the input"
    advice = advice(LIGHTER)

    def __init__(self, tensor: str, output: str) -> None:
        """`tensor`, `output`: the names of the model's one input and of its one output."""
        self._tensor, self._output = tensor, output
        self._cached = lru_cache(maxsize=256)(self._request)

    def cut(self, body: bytes | bytearray) -> tuple[int, int]:
        """The list after `"data":`, up to the first byte that no list of numbers has. Of a large
        body only the end is looked at for it, where little may follow."""
        found = _DATA.search(body, 0, self.frame_bytes)
        if found is None:
            return 0, 0
        start = found.end() - 1
        late = max(start, len(body) - self.frame_bytes)
        ends = (body.find(mark, late) for mark in (b"}", b'"'))
        end = body.rfind(b"]", start, min(end for end in (*ends, len(body)) if end >= 0))
        is_only = end > start and not _DATA.search(body, end, end + self.frame_bytes)
        return (start, end) if is_only else (0, 0)

    def glance(self, text: bytes) -> Frame | None:
        try:
            request = self._cached(text)
        except KtlError:
            return None
        return _frame(request) if request.inputs[0].data == [] else None

    def look(self, document: Any, is_hollow: bool) -> tuple[list[Any], Frame]:
        request = self._validated(document)
        tensor = request.inputs[0]
        if tensor.data is None:
            detail = (
                f"expected `data`, or `binary_data_size` and the header {JSON_LENGTH}, got none"
            )
            raise invalid("missing_field", detail, PLACE.at)
        if is_hollow and tensor.data:
            detail = "expected the numbers in `data` of the input, got other lists beside them"
            raise invalid("wrong_shape", detail, PLACE.at)
        if not is_hollow and not tensor.data:
            raise invalid("wrong_shape", "expected at least one number, got none", PLACE.at)
        return tensor.data, _frame(request)

    def binary(self, body: bytes | bytearray, json_length: int, shape: tuple[int, ...]) -> Read:
        """JSON of so many bytes, and the tensor's after it, without a copy. Raises BadRequest or
        Invalid."""
        text, data = parts_of(body, json_length)
        request = (self._cached if json_length <= self.frame_bytes else self._request)(text)
        tensor, frame = request.inputs[0], _frame(request)
        assert frame.stated is not None
        size = tensor.parameters.binary_data_size if tensor.parameters else None
        if len(data) != (size or 0):
            detail = f"expected {size or 0} bytes after the JSON, as it says, got {len(data)}"
            raise BadRequest("invalid_body", detail)
        if size is None:
            return json_exact.read_exactly(text, self, shape)
        if tensor.data is not None:
            detail = "expected `data` or `binary_data_size`, got both"
            raise invalid("invalid_value", detail, PLACE.at)
        frame.stated.check_shape(shape)
        if size != (wanted := frame.stated.dtype.itemsize * math.prod(tensor.shape)):
            detail = f"expected {wanted} bytes for {tensor.datatype} of {tensor.shape}, got {size}"
            raise invalid("wrong_shape", detail, f"{TENSOR}/parameters/binary_data_size")
        values = np.frombuffer(data, frame.stated.dtype).reshape(-1, *shape)
        return frame.read([*cut(values)], shape)

    def _request(self, text: bytes) -> schemas.InferTensorIn:
        return self._validated(document_of(text))

    def _validated(self, document: Any) -> schemas.InferTensorIn:
        """Raises Invalid."""
        request = validated(document, schemas.InferTensorIn)
        if (name := request.inputs[0].name) != self._tensor:
            detail = f"expected `{self._tensor}`, got text of length {len(name)}"
            raise invalid("unknown_choice", detail, f"{TENSOR}/name")
        check_output(request, self._output)
        return request


def check_output(request: schemas.InferTensorIn | schemas.InferIn, output: str) -> None:
    """Raises Invalid where another output than the model's is asked for."""
    if request.outputs and (named := request.outputs[0].name) != output:
        detail = f"expected `{output}`, got `{named}`"
        raise invalid("unknown_choice", detail, "#/outputs/0/name")


@lru_cache(maxsize=256)
def _envelope(tensor: str, output: str) -> _InferEnvelope:
    return _InferEnvelope(tensor, output)


def _frame(request: schemas.InferTensorIn) -> Frame:
    tensor = request.inputs[0]
    stated = Stated(tuple(tensor.shape), DTYPES[tensor.datatype], TENSOR)
    return Frame(Probabilities(request.id, request.is_binary_wanted), PLACE, stated)


def parts_of(body: bytes | bytearray, json_length: int) -> tuple[bytes, memoryview]:
    """The JSON of so many bytes, and the data after it, uncopied. Raises Invalid."""
    if json_length > len(body):
        detail = (
            f"`{JSON_LENGTH}`: expected at most the body's {len(body)} bytes, got {json_length}"
        )
        raise Invalid("invalid_value", detail, Finding(detail, parameter=JSON_LENGTH))
    return bytes(body[:json_length]), memoryview(body)[json_length:]


def json_length_of(said: bytes) -> int:
    """Raises Invalid."""
    if not said.isdigit() or len(said) > 15 or int(said) > SMALL_BYTES:
        detail = (
            f"`{JSON_LENGTH}`: expected the number of bytes of JSON before the binary data, at "
            f"most {SMALL_BYTES}, got another"
        )
        raise Invalid("invalid_value", detail, Finding(detail, parameter=JSON_LENGTH))
    return int(said)


class Probabilities(NamedTuple):
    """Writes the tensor `probabilities`, of a regression `values`, in JSON or as bytes after it."""

    id: str | None
    is_binary: bool

    def scores_per_input(self, classes: int) -> int:
        return classes

    def piece(self, loaded: Loaded, probabilities: Array) -> bytes:
        if self.is_binary:
            return probabilities.astype("<f4", copy=False).tobytes()
        return orjson.dumps(probabilities.reshape(-1), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]

    def answer(self, answered: AnsweredRequest) -> Answer:
        name, loaded, rows, pieces, warnings = answered
        parameters: dict[str, Any] = {
            "model": loaded.model_id,
            "calibrated": loaded.temperature is not None,
            "temperature": loaded.temperature or 1.0,
        }
        for number, warning in enumerate(warnings, 1):  # parameters hold no arrays
            of = f"_{number}" if number > 1 else ""
            parameters |= {f"warning_code{of}": warning.code, f"warning{of}": warning.detail}
            parameters[f"warning_pointer{of}"] = warning.pointer
        members = {"model_name": name} | ({} if self.id is None else {"id": self.id})
        output: dict[str, Any] = {
            "name": loaded.answers,
            "datatype": "FP32",
            "shape": [rows, len(loaded.labels)],
        }
        if not self.is_binary:
            head = orjson.dumps(members | {"parameters": parameters, "outputs": [output]})
            return Answer(b"".join((head[:-3], b',"data":[', b",".join(pieces), b"]}]}")))
        data = b"".join(pieces)
        output["parameters"] = {"binary_data_size": len(data)}
        head = orjson.dumps(members | {"parameters": parameters, "outputs": [output]})
        length = (JSON_LENGTH.lower().encode(), b"%d" % len(head))
        return Answer(head + data, ((b"content-type", OCTETS.encode()), length))
