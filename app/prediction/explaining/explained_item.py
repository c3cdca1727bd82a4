"""One item whose answer is to be explained."""

from dataclasses import dataclass
from math import isfinite
from typing import Any, Self, assert_never

import numpy as np

from app.errors import invalid
from app.inputs import Inputs
from app.inputs.features import FeaturesInputs
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import decoded_part
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from app.prediction.explaining.contract import MOST, Occlusions
from app.prediction.explaining.joined import OccludedItem
from app.prediction.explaining.parts import occluded_part
from app.prediction.feeds import Array, Part
from app.prediction.inputs import PART_ROWS, PART_VALUES
from app.prediction.item_places import places_of
from app.prediction.schemas import PredictionWarning
from app.prediction.served import Loaded
from app.suggestions import name_meant
from app.tensors import Tensors, together

AT = "#/inputs"
NAMED = 10  # outputs in one sentence


@dataclass(frozen=True)
class ExplainedItem:
    """`chunk`: parts that are taken away in one run."""

    whole: Part
    occlusions: Occlusions
    warnings: tuple[PredictionWarning, ...]
    chunk: int

    @classmethod
    def of(cls, loaded: Loaded, item: Any) -> Self:
        """Reads an item as predictions do. Raises Invalid, and UnsupportedMedia where this server
        reads no files of pictures."""
        tensors = _decoded(loaded.inputs, item)
        whole = together(tensors)
        is_file = _is_file(loaded.inputs, item)
        warnings = () if is_file else loaded.check([whole], places_of(loaded.inputs, AT))
        occlusions = _occluded(loaded.inputs, tensors, item)
        chunk = min(PART_ROWS, max(1, PART_VALUES // max(1, loaded.inputs.values)))
        return cls(whole, occlusions, warnings, chunk)

    def runs(self) -> list[range]:
        """The parts, as they are taken away together."""
        count = len(self.occlusions)
        return [range(at, min(count, at + self.chunk)) for at in range(0, count, self.chunk)]


def output_of(loaded: Loaded, wanted: str | None, answer: Array) -> int:
    """The place of what is explained. `answer`: (outputs,), of the whole item. Raises Invalid."""
    if wanted is None:
        return int(answer.argmax())
    if wanted in loaded.labels:
        return loaded.labels.index(wanted)
    some = ", ".join(f"`{name}`" for name in loaded.labels[:NAMED])
    more = f" and {len(loaded.labels) - NAMED} more" if len(loaded.labels) > NAMED else ""
    meant = name_meant(wanted, loaded.labels)
    detail = f"expected an output of the model, {some}{more}, got another{meant}"
    raise invalid("unknown_choice", detail, "#/output")


def changes_of(answer: float, without: Array) -> list[float | None]:
    """Computes how much an answer changes by each part; None where there is none without it.

    Args:
        answer: to the whole item.
        without: (parts,), the same output of the item without each.
    """
    differences = (answer - without.astype(np.float64)).tolist()
    return [each if isfinite(each) else None for each in differences]


def _is_file(inputs: Inputs, item: Any) -> bool:
    """Files of pictures are in the model's range by themselves."""
    return isinstance(inputs, ImageInputs) and isinstance(item, dict)


def _decoded(inputs: Inputs, item: Any) -> Tensors:
    if isinstance(inputs, ImageInputs) and _is_file(inputs, item):
        return decoded_part(inputs, item, f"{AT}/0")
    return inputs.decode([item], AT)


def _occluded(inputs: Inputs, tensors: Tensors, item: Any) -> Occlusions:
    """Raises Invalid."""
    match inputs:
        case ImageInputs() | TableInputs() | TextInputs():
            return occluded_part(inputs, tensors, item, MOST)
        case JoinedInputs():
            return OccludedItem(inputs, tensors, item, MOST)
        case FeaturesInputs():
            detail = "expected a model of pictures, rows or texts, got one of an encoder's features"
            raise invalid("cannot_explain", f"{detail}, whose numbers mean nothing each", AT)
        case _:
            assert_never(inputs)
