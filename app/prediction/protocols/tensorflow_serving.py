"""TensorFlow Serving's REST API: predictions, and the status of a model by its name.

https://www.tensorflow.org/tfx/serving/api_rest. A model is a deployment's name. As there, each
model has one signature, `serving_default`, here from its one tensor (`image`, `text`), or the
columns of its table, to `probabilities`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, assert_never

import orjson
from fastapi import APIRouter

from app.dependencies import Predictor
from app.errors import KtlError, invalid, token
from app.inputs import Inputs
from app.inputs.dense import DenseInputs
from app.inputs.joined import JoinedInputs
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from app.prediction import json_bodies, json_items, json_steps
from app.prediction.dependencies import AnsweredByFront, DeploymentName
from app.prediction.feeds import Array
from app.prediction.heads import JSON, UNSAID, media_type, name_in, refuse_query
from app.prediction.inputs import Place
from app.prediction.item_places import places_of
from app.prediction.joined import is_of_files
from app.prediction.json_envelope import (
    Frame,
    advice,
    document_of,
    outer_brackets,
)
from app.prediction.protocols import tensorflow_serving_status as version_status
from app.prediction.protocols.contract import (
    Answer,
    AnsweredRequest,
    BodyKind,
    Decoder,
    Headers,
    Read,
    Steps,
)
from app.prediction.protocols.tensorflow_serving_schemas import (
    InstancesIn,
    PredictionsOut,
    one_of_two,
)
from app.prediction.served import Loaded
from app.turns import TurnRoute

PREFIX, SUFFIX = "/v1/models/", ":predict"

_router = APIRouter(prefix="/v1/models", tags=["deployments"], route_class=TurnRoute)
_router.include_router(version_status.router)


@_router.post("/{name}:predict", response_model_exclude_none=True)
def predict_as_tensorflow_serving(
    name: DeploymentName, body: InstancesIn, caller: Predictor
) -> PredictionsOut:
    """Probabilities for raw values, as TensorFlow Serving answers them.

    Values are held against the model's range, and bounded, as in
    `POST /v1/deployments/{name}/predict`. NaN and Infinity are no JSON and are refused.
    """
    raise AnsweredByFront


class TensorFlowServing:
    router = _router
    lighter = ""

    def match(self, method: str, path: str) -> str | None:
        return name_in(method, path, PREFIX, SUFFIX)

    def decoder(self, headers: Headers, query: bytes, inputs: Inputs) -> Decoder:
        refuse_query(query)
        media_type(headers.get(b"content-type", b""), (JSON,), UNSAID)
        match inputs:
            case DenseInputs():
                return ARRAYS
            case TableInputs():
                return _ServingRows(inputs)
            case TextInputs():
                return _ServingTexts(inputs)
            case JoinedInputs():
                return JoinedInstances(inputs)
            case _:
                assert_never(inputs)


class _ServingArrays:
    body: BodyKind = "text"

    def read(self, body: bytes, loaded: Loaded) -> Read:
        return json_bodies.read(body, _envelope(loaded.tensor.name), loaded.session.shape)

    def read_in_steps(self, body: bytearray, loaded: Loaded) -> Steps[Read]:
        envelope = _envelope(loaded.tensor.name)
        return json_steps.read_in_steps(body, envelope, loaded.session.shape)


ARRAYS = _ServingArrays()


@dataclass(frozen=True)
class _ServingItems(ABC):
    """Items that are no arrays of numbers; a subclass says how a request holds those it is for."""

    body: ClassVar[BodyKind] = "text"
    depths: ClassVar[tuple[int, ...]] = (1, 2)  # of lists of items, within arrays and objects
    inputs: Inputs

    def read(self, body: bytes, loaded: Loaded) -> Read:
        return json_items.read(body, self._asked, self.inputs)

    def read_in_steps(self, body: bytearray, loaded: Loaded) -> Steps[Read]:
        return json_items.read_in_steps(body, self._asked, self.inputs, self.depths)

    def _asked(self, document: Any) -> json_items.Asked:
        """Raises Invalid."""
        request = one_of_two(document)
        if request.instances is None:
            return self._of_inputs(request.inputs)
        places = places_of(self.inputs, "#/instances")
        return json_items.Listed(Nested(b"predictions"), places, request.instances)

    @abstractmethod
    def _of_inputs(self, inputs: Any) -> json_items.Asked:
        """Raises Invalid."""


@dataclass(frozen=True)
class _ServingRows(_ServingItems):
    inputs: TableInputs

    def _of_inputs(self, inputs: Any) -> json_items.Asked:
        """Columns, each a list of its values. Raises Invalid."""
        at, columns = "#/inputs", inputs
        if not isinstance(columns, dict):
            detail = "expected an object with a list for each column: rows go in `instances`"
            raise invalid("invalid_value", detail, at)
        pointers = {name: f"{at}/{token(name)}" for name in columns}
        self.inputs.check_names(columns, at)
        values = {name: json_items.ListedValues(pointers[name], columns[name]) for name in columns}
        return json_items.Columns(Nested(b"outputs"), at, values)


@dataclass(frozen=True)
class _ServingTexts(_ServingItems):
    inputs: TextInputs

    def _of_inputs(self, inputs: Any) -> json_items.Asked:
        """Texts, or the one tensor of them. Raises Invalid."""
        at, texts, name = "#/inputs", inputs, self.inputs.tensor
        if isinstance(texts, dict):
            if list(texts) != [name]:
                detail = f'expected {{"{name}": […]}} and nothing beside it, got other'
                raise invalid("invalid_value", detail, at)
            at, texts = f"{at}/{name}", texts[name]
        if not texts:
            raise invalid("invalid_value", "expected at least one input, got none", at)
        return json_items.Listed(Nested(b"outputs"), places_of(self.inputs, at), texts)


@dataclass(frozen=True)
class JoinedInstances(_ServingItems):
    """Items of several parts, one by one."""

    body: ClassVar[BodyKind] = "files"
    depths: ClassVar[tuple[int, ...]] = (1,)
    inputs: JoinedInputs

    def read_in_steps(self, body: bytearray, loaded: Loaded) -> Steps[Read]:
        if is_of_files(body):
            return self.read(bytes(body), loaded)
        return (yield from super().read_in_steps(body, loaded))

    def _of_inputs(self, inputs: Any) -> json_items.Asked:
        detail = "expected items of several parts in `instances`, objects by names of parts"
        raise invalid("invalid_value", detail, "#/inputs")


class _ServingEnvelope:
    frame_bytes = 256
    rows_in = "`instances` or `inputs`, as nested lists"
    advice = advice("")

    def __init__(self, tensor: str) -> None:
        """`tensor`: the name of the model's one input."""
        self._tensor = tensor
        self._cached = lru_cache(maxsize=256)(self._hollow_frame)

    def cut(self, body: bytes | bytearray) -> tuple[int, int]:
        """Rows that are objects are left to `look`, which small bodies alone come to."""
        start, end = outer_brackets(body)
        is_object = body[start + 1 : start + self.frame_bytes].lstrip().startswith(b"{")
        return (0, 0) if is_object else (start, end)

    def glance(self, text: bytes) -> Frame | None:
        try:
            return self._cached(text)
        except KtlError:
            return None

    def look(self, document: Any, is_hollow: bool) -> tuple[list[Any], Frame]:
        if is_hollow and isinstance(document, dict) and document.get("instances") == []:
            document["instances"] = [[]]
        request = one_of_two(document)
        if request.instances is not None:
            return self._instances(request.instances)
        at, rows = "#/inputs", request.inputs
        if isinstance(rows, dict):
            if list(rows) != [self._tensor]:
                raise invalid("invalid_value", self._one_tensor, at)
            at, rows = f"{at}/{self._tensor}", rows[self._tensor]
        if not rows and not is_hollow:
            raise invalid("invalid_value", "expected at least one input, got none", at)
        return rows or [], Frame(Nested(b"outputs"), Place(at))

    def _instances(self, rows: list[Any]) -> tuple[list[Any], Frame]:
        """Rows as they are, or out of objects that name the tensor."""
        place = Place("#/instances")
        if not isinstance(rows[0], dict):
            return rows, Frame(Nested(b"predictions"), place)
        for index, row in enumerate(rows):
            if not isinstance(row, dict) or list(row) != [self._tensor]:
                raise invalid("invalid_value", self._one_tensor, place.of(index))
        named = place._replace(member=f"/{self._tensor}")
        return [row[self._tensor] for row in rows], Frame(Nested(b"predictions"), named)

    @property
    def _one_tensor(self) -> str:
        return f'expected {{"{self._tensor}": …}} and nothing beside it, got other'

    def _hollow_frame(self, text: bytes) -> Frame:
        return self.look(document_of(text), True)[1]


@lru_cache(maxsize=256)
def _envelope(tensor: str) -> _ServingEnvelope:
    return _ServingEnvelope(tensor)


class Nested(NamedTuple):
    """Writes the probabilities of each input as a list."""

    member: bytes

    def scores_per_input(self, classes: int) -> int:
        return classes

    def piece(self, loaded: Loaded, probabilities: Array) -> bytes:
        return orjson.dumps(probabilities, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]

    def answer(self, answered: AnsweredRequest) -> Answer:
        tail, outputs = b"", b",".join(answered.pieces)
        if answered.warnings:
            told = [warning.model_dump(exclude_none=True) for warning in answered.warnings]
            tail = b',"warnings":' + orjson.dumps(told)
        return Answer(b"".join((b'{"', self.member, b'":[', outputs, b"]", tail, b"}")))
