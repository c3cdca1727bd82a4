"""Bodies of the Open Inference Protocol for models whose items come as values of JSON."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from app.prediction import json_items
from app.prediction.json_envelope import document_of
from app.prediction.json_lists import Lists
from app.prediction.protocols.contract import BodyKind, Read, Steps, ended
from app.prediction.protocols.open_inference_bodies import parts_of
from app.prediction.served import Loaded

OfItems = TypeVar("OfItems", TableInputs, TextInputs)


@dataclass(frozen=True)
class ItemsDecoder(ABC, Generic[OfItems]):
    """Reads JSON, and the binary data after it. `json_length`: bytes of JSON, where such data
    follow."""

    inputs: OfItems
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

    @abstractmethod
    def _asked(
        self, output: str, document: Any, data: memoryview = memoryview(b"")
    ) -> json_items.Asked:
        """`data`: what follows the JSON. Raises BadRequest or Invalid."""
