"""Items of several parts that are asked about: parts that they lack, doubts about the others."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from app.errors import token
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart, Known
from app.inputs.table import TableInputs
from app.prediction.checks import ValueCheck
from app.prediction.feeds import Part
from app.prediction.inputs import Places
from app.prediction.schemas import PredictionWarning
from app.tensors import TensorBatch, Tensors

RULE = """An item of a model for several parts is an object with a value for each part by its name:
a row as an object of columns, a text, a picture as nested arrays or as `{"b64": …}`, the bytes of a
file in Base64. A part that is null or left out is missing, and so is a row of which every value is
null, and a text of nothing but white space and control characters: the answer is then that of the
other parts, and carries the warning `missing_part` for each part that items lack. An item without
any part is 422 `no_part`, a part that the model does not know 422 `unknown_part`. What is said of
pictures, rows and texts holds for each part.
"""


MOST_COMMAS = 2**20  # of JSON that is decoded at once: a value takes Python 32 bytes and more


def is_light(text: bytes | bytearray) -> bool:
    """Tells whether JSON holds few enough values to be decoded at once, in a thread."""
    return text.count(b",") < MOST_COMMAS


def is_of_files(body: bytes | bytearray) -> bool:
    """True where a large body holds files of pictures, of any size, and few values beside them."""
    return b'"b64"' in body and is_light(body)


class PartPlaces(NamedTuple):
    """One part's values within items in one list. `rows`: numbers of the items that have it;
    `names`: of a row's columns, as pointers have them."""

    at: str
    part: str
    rows: npt.NDArray[np.int64]
    names: tuple[str, ...] = ()

    def of(self, row: int, *index: int) -> str:
        inner = [self.names[place] if self.names else str(place) for place in index]
        return "/".join((self.at, str(int(self.rows[row])), self.part, *inner))

    def of_first(self, wrong: npt.NDArray[np.bool_], first_row: int = 0) -> str:
        row, *index = map(int, np.unravel_index(int(wrong.argmax()), wrong.shape))
        return self.of(first_row + row, *index)


class TensorPlaces(NamedTuple):
    """Items whose values stand in tensors of their parts. `pointers`: to the data of each that is
    there, by its name."""

    at: str
    pointers: Mapping[str, str]

    def of(self, row: int, *index: int) -> str:
        return self.at

    def of_first(self, wrong: npt.NDArray[np.bool_], first_row: int = 0) -> str:
        return self.at


class PartTensorPlaces(NamedTuple):
    """One part's values in its tensors. `lists`: pointers to the data of each, in their order."""

    at: str
    rows: npt.NDArray[np.int64]
    lists: tuple[str, ...]

    def of(self, row: int, *index: int) -> str:
        place = index[0] if index and len(self.lists) > 1 else 0
        return f"{self.lists[place]}/{int(self.rows[row])}"

    def of_first(self, wrong: npt.NDArray[np.bool_], first_row: int = 0) -> str:
        row, *index = map(int, np.unravel_index(int(wrong.argmax()), wrong.shape))
        return self.of(first_row + row, *index)


class JoinedCheck:
    """Says which parts are missing, and finds in the others what their own checks find."""

    def __init__(self, inputs: JoinedInputs, checks: Mapping[str, ValueCheck]) -> None:
        """`checks`: of each part, by its name."""
        self._inputs, self._checks = inputs, checks

    def __call__(self, parts: Sequence[Part], places: Places) -> tuple[PredictionWarning, ...]:
        items = _whole(cast("Sequence[TensorBatch]", parts))
        found: list[PredictionWarning] = []
        for part in self._inputs.parts:
            known = part.known(items)
            if not known.all():
                found.append(_missing(part, known, places))
            if known.any():
                own = {name: values[known] for name, values in part.of(items).items()}
                of_part = self._checks[part.name](
                    [next(iter(own.values()))], _places(part, known, places)
                )
                found += of_part
        return tuple(found)


def _whole(batches: Sequence[TensorBatch]) -> Tensors:
    if len(batches) == 1:
        return batches[0].tensors
    names = batches[0].tensors
    return {name: np.concatenate([batch.tensors[name] for batch in batches]) for name in names}


def _missing(part: JoinedPart, known: Known, places: Places) -> PredictionWarning:
    count = int((~known).sum())
    detail = (
        f"expected the part `{part.name}`, got {count} items without it, which are answered by "
        "their other parts alone"
    )
    first = places.of(int(known.argmin()))
    return PredictionWarning(code="missing_part", detail=detail, pointer=first, count=count)


def _places(part: JoinedPart, known: Known, places: Places) -> Places:
    if isinstance(places, TensorPlaces):
        named = (places.pointers.get(f"{part.name}.{each.name}") for each in part.inputs.asked)
        lists = tuple(pointer for pointer in named if pointer is not None)
        return PartTensorPlaces(places.at, np.flatnonzero(known), lists)
    names: tuple[str, ...] = ()
    if isinstance(part.inputs, TableInputs):
        names = tuple(token(column.name) for column in part.inputs.columns)
    return PartPlaces(places.at, token(part.name), np.flatnonzero(known), names)
