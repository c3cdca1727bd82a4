"""The Open Inference Protocol, version 2, as KServe and Triton speak it, over HTTP.

https://github.com/kserve/open-inference-protocol, and Triton's extension `binary_tensor_data`. A
model is a deployment's name. Versions are not asked for: a name serves one model at a time.
"""

from typing import Annotated, assert_never

from fastapi import APIRouter, Header, Request

from app.dependencies import Predictor
from app.errors import Unavailable
from app.health import MONITOR
from app.inputs import Inputs
from app.inputs.dense import DenseInputs
from app.inputs.joined import JoinedInputs
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from app.prediction.dependencies import AnsweredByFront, DeploymentName, ServedOf
from app.prediction.heads import JSON, UNSAID, media_type, name_in, refuse_query
from app.prediction.protocols import open_inference_schemas as schemas
from app.prediction.protocols.contract import Decoder, Headers
from app.prediction.protocols.open_inference_bodies import (
    JSON_LENGTH,
    LIGHTER,
    OCTETS,
    TensorDecoder,
    json_length_of,
)
from app.prediction.protocols.open_inference_columns import ColumnsDecoder
from app.prediction.protocols.open_inference_parts import PartsDecoder
from app.prediction.protocols.open_inference_texts import TextsDecoder
from app.tensors import Dtype
from app.turns import TurnRoute

PREFIX, SUFFIX = "/v2/models/", "/infer"
DATATYPES: dict[Dtype, str] = {
    "uint8": "UINT8",
    "int32": "INT32",
    "float32": "FP32",
    "bool": "BOOL",
    "string": "BYTES",
}

_router = APIRouter(prefix="/v2", tags=["deployments"], route_class=TurnRoute)


@_router.get("")
async def server_metadata(request: Request, caller: Predictor) -> schemas.ServerMetadata:
    """Name, version and extensions, for clients of the Open Inference Protocol."""
    return schemas.ServerMetadata(version=request.app.version)


@_router.get("/health/live")
async def server_live() -> schemas.ServerLive:
    """The process is alive, as `/healthz` says."""
    return schemas.ServerLive()


@_router.get("/health/ready", dependencies=MONITOR)
async def server_ready(served: ServedOf) -> schemas.ServerReady:
    """Every deployment is loaded, or has failed for good; 503 while one is being loaded."""
    if not served.is_settled:
        detail = "expected every deployment to be loaded, got some that are being loaded"
        raise Unavailable("not_ready", detail)
    return schemas.ServerReady()


@_router.get("/models/{name}", response_model_exclude_none=True)
async def model_metadata(
    name: DeploymentName, caller: Predictor, served: ServedOf
) -> schemas.ModelMetadata:
    """The tensors that a deployment takes and answers, and its labels. A model of a table takes one
    tensor for each column, a model of texts one of BYTES."""
    loaded = await served.find(caller.project, name)
    takes = [
        schemas.TensorMetadata(
            name=tensor.name, datatype=DATATYPES[tensor.dtype], shape=[-1, *tensor.shape]
        )
        for tensor in loaded.inputs.asked
    ]
    answers = schemas.TensorMetadata(
        name=loaded.answers,
        datatype="FP32",
        shape=[-1, len(loaded.labels)],
        parameters={"labels": list(loaded.labels)} if loaded.form != "value" else None,
    )
    return schemas.ModelMetadata(name=name, inputs=takes, outputs=[answers])


@_router.get("/models/{name}/ready")
async def model_ready(
    name: DeploymentName, caller: Predictor, served: ServedOf
) -> schemas.ModelReady:
    """The deployment is loaded; 503 while it is not."""
    await served.find(caller.project, name)
    return schemas.ModelReady(name=name)


@_router.post(
    "/models/{name}/infer",
    response_model_exclude_none=True,
    openapi_extra={
        "requestBody": {"content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
    },
    responses={200: {"content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}},
)
def infer(
    name: DeploymentName,
    body: schemas.InferIn,
    caller: Predictor,
    inference_header_content_length: Annotated[
        int | None, Header(description="bytes of JSON, where binary data follow")
    ] = None,
) -> schemas.InferOut:
    """Probabilities for raw values, as tensors in JSON or as binary data after the JSON.

    Values are held against the model's range, and bounded, as in
    `POST /v1/deployments/{name}/predict`; binary data have the limits of a .npy file.

    A model of a table takes one tensor [n] or [n, 1] for each column, in any order. A value is
    missing where `data` has null, a floating-point tensor NaN, or BYTES empty text, unless that is
    one of the column's values in the training rows; what is missing of a flag is sent as BYTES.

    A model of texts takes one tensor `text`, BYTES of [n] or [n, 1], in `data` or as binary data.

    A model of items of several parts takes the tensors of each as `PART.image`, `PART.COLUMN` and
    `PART.text`. A part without any tensor is missing in all items; of some items a picture is
    missing where all its numbers are NaN or null, a row where all its values are, a text where it
    is of nothing but white space and control characters.
    """
    raise AnsweredByFront


class OpenInference:
    router = _router
    lighter = LIGHTER

    def match(self, method: str, path: str) -> str | None:
        return name_in(method, path, PREFIX, SUFFIX)

    def decoder(self, headers: Headers, query: bytes, inputs: Inputs) -> Decoder:
        refuse_query(query)
        media_type(headers.get(b"content-type", b""), (JSON, OCTETS), UNSAID)
        length = headers.get(JSON_LENGTH.lower().encode())
        json_length = None if length is None else json_length_of(length)
        match inputs:
            case DenseInputs():
                return TensorDecoder(json_length)
            case TableInputs():
                return ColumnsDecoder(inputs, json_length)
            case TextInputs():
                return TextsDecoder(inputs, json_length)
            case JoinedInputs():
                return PartsDecoder(inputs, json_length)
            case _:
                assert_never(inputs)
