"""Bodies of items that are no arrays of numbers, read by the decoder of the model's inputs.

Items stand in one list (`Listed`) or are the values of one column (`OfOneColumn`), or the values of
each column of a table stand in a place of their own (`Columns`).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from app.errors import invalid
from app.inputs import Inputs
from app.inputs.table import TableInputs
from app.prediction.feeds import Part, padded
from app.prediction.inputs import PART_ROWS, Places, Raw, check_room, cut_items
from app.prediction.item_places import places_of
from app.prediction.json_envelope import document_of
from app.prediction.json_lists import Lists, without_lists
from app.prediction.protocols.contract import AnswerEncoder, Read, Steps, ended
from app.prediction.rows import ColumnPlaces
from app.tensors import Tensors, together


class Listed(NamedTuple):
    """Items in one list, to which `places` point."""

    encoder: AnswerEncoder
    places: Places
    items: list[Any]


class ColumnValues(Protocol):
    """The values of one column."""

    @property
    def at(self) -> str:
        """A pointer to what they stand in."""

    def batches(self, lists: Lists) -> Iterator[list[Any]]:
        """The values as rows in JSON have them, a few at a time. Raises BadRequest or Invalid."""


class ListedValues(NamedTuple):
    """Values in one list of a document, to which `at` points."""

    at: str
    values: list[Any]

    def batches(self, lists: Lists) -> Iterator[list[Any]]:
        return lists.batches(self.values, self.at)


class Columns(NamedTuple):
    """The values of each column by its name. `at`: a pointer to them all."""

    encoder: AnswerEncoder
    at: str
    values: Mapping[str, ColumnValues]


class OfOneColumn(NamedTuple):
    """Items that are the values of one column."""

    encoder: AnswerEncoder
    values: ColumnValues


Asked = Listed | OfOneColumn | Columns
Look = Callable[[Any], Asked]


def read(body: bytes, look: Look, inputs: Inputs) -> Read:
    """Reads small bodies, at once; `look`: a document -> what is asked. Raises BadRequest or
    Invalid."""
    lists = Lists(document_of(body))
    return ended(read_lists(lists, look(lists.document), inputs))


def read_in_steps(
    body: bytearray, look: Look, inputs: Inputs, depths: tuple[int, ...]
) -> Steps[Read]:
    """Reads large bodies: others go between the steps. Raises BadRequest or Invalid.

    Args:
        depths: within how many arrays and objects the lists of items or of values begin.
    """
    lists = yield from without_lists(body, depths)
    return (yield from read_lists(lists, look(lists.document), inputs))


def read_lists(lists: Lists, asked: Asked, inputs: Inputs) -> Steps[Read]:
    """Raises BadRequest or Invalid."""
    match asked:
        case Listed(encoder, places, items):
            at = places.at
            parts = yield from _parts(lists.batches(items, at), at, inputs)
            return Read(parts, encoder, places)
        case OfOneColumn(encoder, of_column):
            at = of_column.at
            parts = yield from _parts(of_column.batches(lists), at, inputs)
            return Read(parts, encoder, places_of(inputs, at))
        case Columns(encoder, at, values):
            assert isinstance(inputs, TableInputs)
            named = [values[column.name] for column in inputs.columns]
            columns = []
            for column, of_column in zip(inputs.columns, named, strict=True):
                read = inputs.column_reader(column, of_column.at)
                columns.append((yield from _together(map(read, of_column.batches(lists)))))
            pointers = tuple(each.at for each in named)
            return Read(
                (yield from _beside(columns, pointers)), encoder, ColumnPlaces(at, pointers)
            )


def _parts(batches: Iterator[list[Any]], at: str, inputs: Inputs) -> Steps[list[Part]]:
    read: list[Tensors] = []
    count = 0
    for batch in batches:
        if batch:
            check_room(count + len(batch), inputs, at)
            read.append(inputs.decode(batch, at, count))
            count += len(batch)
        yield
    names = [*read[0]]
    whole = {name: np.concatenate(padded([each[name] for each in read])) for name in names}
    return cut_items(together(whole))


def _together(read: Iterator[npt.NDArray[np.float32]]) -> Steps[npt.NDArray[np.float32]]:
    parts = []
    for part in read:
        parts.append(part)
        yield
    return np.concatenate(parts)


def _beside(columns: list[npt.NDArray[np.float32]], pointers: tuple[str, ...]) -> Steps[list[Raw]]:
    """Columns (n,) -> rows (n, columns), in parts. Raises Invalid."""
    rows, first = len(columns[0]), pointers[0]
    if not rows:
        raise invalid("invalid_value", "expected at least one input, got none", first)
    for column, pointer in zip(columns, pointers, strict=True):
        if len(column) != rows:
            detail = f"expected as many values as in {first}, {rows}, got {len(column)}"
            raise invalid("wrong_shape", detail, pointer)
    parts: list[Raw] = []
    for start in range(0, rows, PART_ROWS):
        parts.append(np.stack([column[start : start + PART_ROWS] for column in columns], axis=1))
        yield
    return parts
