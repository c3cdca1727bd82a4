"""Bodies of the Open Inference Protocol for models of texts: one tensor of BYTES."""

from typing import Any

from app.errors import BadRequest, invalid
from app.inputs.text import TextInputs
from app.prediction import json_items
from app.prediction.json_envelope import validated
from app.prediction.protocols import open_inference_schemas as schemas
from app.prediction.protocols.open_inference_bodies import Probabilities, check_output
from app.prediction.protocols.open_inference_columns import BYTES, ColumnTensor, size_of
from app.prediction.protocols.open_inference_items import ItemsDecoder

TENSOR = "#/inputs/0"


class TextsDecoder(ItemsDecoder[TextInputs]):
    """Reads the one tensor."""

    def _asked(
        self, output: str, document: Any, data: memoryview = memoryview(b"")
    ) -> json_items.OfOneColumn:
        """`data`: what follows the JSON. Raises BadRequest or Invalid."""
        request = validated(document, schemas.InferIn)
        check_output(request, output)
        (wanted,) = (tensor.name for tensor in self.inputs.asked)
        tensor = request.inputs[0]
        if len(request.inputs) != 1:
            detail = f"expected one tensor, `{wanted}`, got {len(request.inputs)}"
            raise invalid("invalid_value", detail, "#/inputs")
        if tensor.name != wanted:
            detail = f"expected `{wanted}`, got text of length {len(tensor.name)}"
            raise invalid("unknown_choice", detail, f"{TENSOR}/name")
        if tensor.datatype != BYTES:
            detail = f"expected BYTES, as texts have it, got {tensor.datatype}"
            raise invalid("not_of_datatype", detail, f"{TENSOR}/datatype")
        size = size_of(tensor) or 0
        if size != len(data):
            detail = f"expected {size} bytes after the JSON, as it says, got {len(data)}"
            raise BadRequest("invalid_body", detail)
        own = ColumnTensor(tensor, TENSOR, data, keeps_empty=True)
        own.check()
        encoder = Probabilities(request.id, request.is_binary_wanted)
        return json_items.OfOneColumn(encoder, own)
