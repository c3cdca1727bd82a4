"""The native protocol: POST /v1/deployments/{name}/predict, JSON or .npy, labels and scores."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Annotated, Any, NamedTuple, assert_never

from fastapi import APIRouter, Query
from pydantic import ValidationError
from starlette.datastructures import QueryParams

from app.dependencies import Predictor
from app.errors import BadRequest, Finding, Invalid, invalid
from app.inputs import Inputs
from app.inputs.dense import DenseInputs
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from app.prediction import (
    joined,
    json_bodies,
    json_items,
    json_steps,
    npy_bodies,
    rows,
    texts,
    value_range,
)
from app.prediction.dependencies import AnsweredByFront, DeploymentName
from app.prediction.heads import JSON, media_type, name_in
from app.prediction.item_places import places_of
from app.prediction.json_envelope import Frame, advice, document_of, outer_brackets, validated
from app.prediction.picture_bodies import FORM
from app.prediction.protocols.contract import AnswerEncoder, BodyKind, Decoder, Headers, Read, Steps
from app.prediction.protocols.native_answers import (
    PLAIN,
    SETS,
    VALUES,
    LabelAnswers,
    LabelSetAnswers,
)
from app.prediction.protocols.native_pictures import IMAGE, PictureDecoder, is_of_pictures
from app.prediction.schemas import PredictIn, PredictOut
from app.prediction.served import Loaded
from app.turns import TurnRoute

NPY, PLAIN_JSON = "application/x-npy", JSON.encode()
TAKEN = (JSON, NPY, FORM, f"{IMAGE}*")  # of arrays and pictures
PREFIX, SUFFIX = "/v1/deployments/", "/predict"
ROWS = "this model is asked about rows of a table, objects by the names of columns"
TEXTS = "this model is asked about texts, as text in a list"
ITEMS = "this model is asked about items of several parts, objects by the names of parts"
TRUTHS = {"true": True, "1": True, "false": False, "0": False}

PREDICTING = f"""Answers raw inputs: the preprocessing is part of the model. Pictures are arrays, in
JSON or as a .npy file, or files as cameras write them: one as `image/…`, or several as parts named
`file` of multipart/form-data, with `top_k` and `raw_scores` as parts beside them. Rows of a table
are objects, and texts are text, in JSON.

Scores are calibrated where the answer says so: the logits were divided by `temperature`, which was
fitted on validation items and changes no label. `raw_scores` answers them without it.

A JSON body holds at most 8 MiB and any other 64 MiB, unless this server was set up otherwise; an
answer holds at most 262,144 scores, and the items of a request, decoded, at most 67,108,864
numbers: a text counts with the model's whole `length`, a part that is missing as if it were there.
Large requests of one key are answered one after the other.

**Pictures.** {value_range.RULE}
**Tables.** {rows.RULE}
**Items of several parts.** {joined.RULE}
**Texts.** {texts.RULE}"""

OCTETS: dict[str, Any] = {"type": "string", "format": "binary"}
PICTURES: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "array", "items": OCTETS, "description": "files of pictures"},
        "top_k": {"type": "integer", "minimum": 1},
        "raw_scores": {"type": "boolean"},
    },
}

_router = APIRouter(prefix="/v1/deployments", tags=["deployments"], route_class=TurnRoute)


@_router.post(
    "/{name}/predict",
    response_model_exclude_none=True,
    description=PREDICTING,
    openapi_extra={
        "requestBody": {
            "content": {
                NPY: {"schema": OCTETS},
                f"{IMAGE}*": {"schema": OCTETS},
                FORM: {"schema": PICTURES},
            }
        }
    },
)
def predict(
    name: DeploymentName,
    body: PredictIn,
    caller: Predictor,
    raw_scores: Annotated[
        bool, Query(description="as in the body; for .npy files, which have no other place for it")
    ] = False,
) -> PredictOut:
    raise AnsweredByFront


class Native:
    router = _router
    lighter = "a .npy file"

    def match(self, method: str, path: str) -> str | None:
        return name_in(method, path, PREFIX, SUFFIX)

    def decoder(self, headers: Headers, query: bytes, inputs: Inputs) -> Decoder:
        is_raw = bool(query) and _wants_raw_scores(query)
        content_type = headers.get(b"content-type", b"")
        match inputs:
            case ImageInputs() if content_type != PLAIN_JSON and is_of_pictures(content_type):
                encoder = partial(_of_options, is_raw=is_raw)
                return PictureDecoder(inputs, content_type, encoder)
            case DenseInputs():
                return _of_arrays(content_type, is_raw)
            case TableInputs():
                media_type(content_type, (JSON,), why=ROWS)
                return _NativeItems(inputs, is_raw)
            case TextInputs():
                media_type(content_type, (JSON,), why=TEXTS)
                return _NativeItems(inputs, is_raw)
            case JoinedInputs():
                media_type(content_type, (JSON,), why=ITEMS)
                return _NativeItems(inputs, is_raw, "files")
            case _:
                assert_never(inputs)


@lru_cache(maxsize=32)  # nearly all requests say the same
def _of_arrays(content_type: bytes, is_raw: bool) -> "_NativeArrays":
    is_npy = media_type(content_type, TAKEN) == NPY
    return _NativeArrays("binary" if is_npy else "text", is_raw)


class _NativeArrays(NamedTuple):
    body: BodyKind
    is_raw: bool  # as the query says

    def read(self, body: bytes, loaded: Loaded) -> Read:
        if self.body == "binary":
            read = Read(npy_bodies.read(body, loaded.session.shape), PLAIN)
        else:
            read = json_bodies.read(body, ENVELOPE, loaded.session.shape)
        return _finished(read, loaded, self.is_raw)

    def read_in_steps(self, body: bytearray, loaded: Loaded) -> Steps[Read]:
        if self.body == "binary":
            read = Read(npy_bodies.read(body, loaded.session.shape), PLAIN)
        else:
            read = yield from json_steps.read_in_steps(body, ENVELOPE, loaded.session.shape)
        return _finished(read, loaded, self.is_raw)


class _NativeItems(NamedTuple):
    inputs: Inputs
    is_raw: bool  # as the query says
    body: BodyKind = "text"

    def read(self, body: bytes, loaded: Loaded) -> Read:
        return _finished(json_items.read(body, self._asked, self.inputs), loaded, self.is_raw)

    def read_in_steps(self, body: bytearray, loaded: Loaded) -> Steps[Read]:
        if self.body == "files" and joined.is_of_files(body):
            return self.read(bytes(body), loaded)
        read = yield from json_items.read_in_steps(body, self._asked, self.inputs, depths=(1,))
        return _finished(read, loaded, self.is_raw)

    def _asked(self, document: Any) -> json_items.Listed:
        request = validated(document, PredictIn)
        places = places_of(self.inputs, "#/inputs")
        return json_items.Listed(_frame(request).encoder, places, request.inputs)


def _finished(read: Read, loaded: Loaded, is_raw: bool) -> Read:
    encoder = _encoder(read.encoder, loaded, is_raw)
    return read if encoder is read.encoder else read._replace(encoder=encoder)


def _of_options(options: Mapping[str, Any], loaded: Loaded, is_raw: bool) -> AnswerEncoder:
    """The encoder for options that do not stand beside inputs in JSON. Raises Invalid."""
    if "inputs" in options:
        raise invalid("unknown_field", "expected no `inputs` beside files of pictures", "#/inputs")
    request = validated({**options, "inputs": [0]}, PredictIn)
    return _encoder(_frame(request).encoder, loaded, is_raw)


def _encoder(asked: AnswerEncoder, loaded: Loaded, is_raw: bool) -> AnswerEncoder:
    """Makes an encoder by what the query says. Raises Invalid where more labels are wanted than
    there are."""
    if loaded.form == "value":
        return _of_quantities(asked, is_raw)
    if asked is PLAIN and not is_raw:
        return asked if loaded.form == "label" else SETS
    assert isinstance(asked, LabelAnswers)
    top_k, classes = asked.top_k, len(loaded.labels)
    if top_k is not None and top_k > classes:
        detail = f"expected at most {classes}, the number of classes, got {top_k}"
        raise invalid("invalid_value", detail, "#/top_k")
    if loaded.form == "labels":  # whose scores have no temperature: raw ones are the same
        return LabelSetAnswers(top_k)
    return LabelAnswers(top_k, asked.raw_scores or is_raw)


def _of_quantities(encoder: AnswerEncoder, is_raw: bool) -> AnswerEncoder:
    """Raises Invalid where something is asked that only classes have."""
    if encoder is PLAIN and not is_raw:
        return VALUES
    assert isinstance(encoder, LabelAnswers)
    asked = "raw_scores" if is_raw or encoder.top_k is None else "top_k"
    detail = f"expected no `{asked}` of a model that answers quantities: it has no classes"
    raise invalid("no_classes", detail, f"#/{asked}")


class _NativeEnvelope:
    frame_bytes = 256
    rows_in = "`inputs`"
    advice = advice(Native.lighter)
    cut = staticmethod(outer_brackets)

    def glance(self, text: bytes) -> Frame | None:
        return _glance(text)

    def look(self, document: Any, is_hollow: bool) -> tuple[list[Any], Frame]:
        if is_hollow and isinstance(document, dict) and document.get("inputs") == []:
            document["inputs"] = [0]
        request = validated(document, PredictIn)
        return request.inputs, _frame(request)


ENVELOPE = _NativeEnvelope()


@lru_cache(maxsize=256)
def _glance(text: bytes) -> Frame | None:
    try:
        document = document_of(text)
    except BadRequest:
        return None
    if not isinstance(document, dict) or document.get("inputs") != []:
        return None
    try:
        return _frame(PredictIn.model_validate(document | {"inputs": [0]}))
    except ValidationError:
        return None


def _frame(request: PredictIn) -> Frame:
    if request.top_k is None and not request.raw_scores:
        return Frame(PLAIN)
    return Frame(LabelAnswers(request.top_k, request.raw_scores))


def _wants_raw_scores(query: bytes) -> bool:
    said = QueryParams(query).get("raw_scores", "false")
    if said not in TRUTHS:
        detail = f"`raw_scores`: expected true or false, got text of length {len(said)}"
        raise Invalid("invalid_value", detail, Finding(detail, parameter="raw_scores"))
    return TRUTHS[said]
