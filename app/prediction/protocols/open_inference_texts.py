"""Bodies of the Open Inference Protocol for models of texts: one tensor of BYTES."""

from functools import partial
from typing import Any, NamedTuple

from app.errors import BadRequest, invalid
from app.inputs.text import TextInputs
from app.prediction import json_items
from app.prediction.json_envelope import document_of, validated
from app.prediction.json_lists import Lists
from app.prediction.protocols import open_inference_schemas as schemas
from app.prediction.protocols.contract import BodyKind, Read, Steps, ended
from app.prediction.protocols.open_inference_bodies import Probabilities, check_output, parts_of
from app.prediction.protocols.open_inference_columns import BYTES, ColumnTensor, size_of
from app.prediction.served import Loaded

TENSOR = "#/inputs/0"


class TextsDecoder(NamedTuple):
    """Reads the one tensor. `json_length`: bytes of JSON, where binary data follow."""

    inputs: TextInputs
    json_length: int | None

    @property
    def body(self) -> BodyKind:
        return "text" if self.json_length is None else "binary"

    def read(self, body: bytes, loaded: Loaded) -> Read:
        if self.json_length is None:
            return json_items.read(body, partial(self._asked, loaded.answers), self.inputs)
        return ended(self._with_data(body, self.json_length, loaded))

    def read_in_steps(self, body: bytearray, loaded: Loaded) -> Steps[Read]:
        if self.json_length is None:
            asked = partial(self._asked, loaded.answers)
            return json_items.read_in_steps(body, asked, self.inputs, depths=(3,))
        return self._with_data(body, self.json_length, loaded)

    def _with_data(self, body: bytes | bytearray, json_length: int, loaded: Loaded) -> Steps[Read]:
        text, data = parts_of(body, json_length)
        lists = Lists(document_of(text))
        asked = self._asked(loaded.answers, lists.document, data)
        return json_items.read_lists(lists, asked, self.inputs)

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
