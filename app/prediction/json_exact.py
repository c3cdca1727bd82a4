"""JSON bodies built whole: small ones, to find out what is wrong with them."""

from typing import Any

import numpy as np
import orjson
from pydantic import ValidationError

from app.errors import BadRequest, invalid
from app.findings import invalid_from
from app.inputs.dense import check_numbers, lengths_of
from app.prediction.inputs import Read
from app.prediction.schemas import PredictIn
from app.prediction.shapes import brackets, skeleton_of, taken_shapes, wrong_shape

FIELDS = 16  # more are not looked at one by one


def read_exactly(body: bytes, shape: tuple[int, ...]) -> Read:
    """Builds the whole document; for what is small. Raises BadRequest or Invalid."""
    request = validated(document_of(body))
    got = lengths_of(request.inputs)
    if got[1:] not in taken_shapes(shape):
        raise wrong_shape(shape, list(got))
    skeleton = brackets(got[1:])
    for index, one in enumerate(request.inputs):
        if skeleton_of(orjson.dumps(one)) != skeleton:  # to walk through all takes too long
            check_numbers(one, got[1:], f"#/inputs/{index}")
    values = np.asarray(request.inputs, dtype=np.float64)
    return Read([values.reshape(len(values), *shape)], request.top_k, request.raw_scores)


def document_of(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        detail = f"expected a JSON document (NaN and Infinity are not JSON), got: {error}"
        raise BadRequest("invalid_json", detail) from None


def validated(document: Any) -> PredictIn:
    if isinstance(document, dict) and len(document) > FIELDS:
        known = ", ".join(PredictIn.model_fields)
        detail = f"expected no fields but {known}, got {len(document)} fields"
        raise invalid("unknown_field", detail, "#")
    try:
        return PredictIn.model_validate(document)
    except ValidationError as error:
        raise invalid_from(error, document) from None
