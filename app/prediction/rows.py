"""Rows of a table: where their values stand in a body, and which values are doubted."""

from collections.abc import Sequence
from typing import NamedTuple, Self, cast

import numpy as np
import numpy.typing as npt

from app.errors import token
from app.inputs.columns import Doubt
from app.inputs.table import TableInputs
from app.prediction.feeds import Part
from app.prediction.inputs import Places, Raw
from app.prediction.schemas import PredictionWarning

NAMED = 10  # columns in one sentence
EXPECTED: dict[Doubt, tuple[str, str]] = {
    "out_of_range": (
        "expected values within the range of the training rows, as `edges` in the model's "
        "signature have it",
        "further outside than a tenth of its width: to the model they are as its ends",
    ),
    "unknown_category": (
        "expected values that training rows have, as `values` in the model's signature name them",
        "others: to the model they are one value, `other`",
    ),
}

RULE = """An item of a model for tables is an object with every column of the model's signature by
its name, in any order, and nothing else:

| column | values | what is missing |
|---|---|---|
| number | JSON numbers; text such as `"52000"` is 422 `invalid_value` | `null` |
| category | text, or whole numbers, which are their digits | `null`; empty text is a value |
| flag | `true`, `false`, or one of the column's two values as text | `null` |
| date | text as ISO 8601 has it, or as the column's `format` says | `null` |

Of two values of one name in one object the last counts, as in most readers of JSON.

A value may be missing in any column: the model has a mark for it. A column that is left out is 422
`missing_column`, one that the model does not know 422 `unknown_column`. What no training row had is
answered with a warning, one of each code for the whole request, with the number of such values and
a pointer to the first: `unknown_category` for a category's new value, which the model takes as
`other`, and `out_of_range` for a number or a date outside of the training rows' range by more than
a tenth of its width.
"""


class RowPlaces(NamedTuple):
    """Rows that are objects in one list. `names`: the columns', as pointers have them."""

    at: str
    names: tuple[str, ...]

    @classmethod
    def of_inputs(cls, at: str, inputs: TableInputs) -> Self:
        return cls(at, tuple(token(column.name) for column in inputs.columns))

    def of(self, row: int, *index: int) -> str:
        return "/".join((self.at, str(row), *(self.names[place] for place in index)))

    def of_first(self, wrong: npt.NDArray[np.bool_], first_row: int = 0) -> str:
        return _first(self, wrong, first_row)


class ColumnPlaces(NamedTuple):
    """Rows whose values stand in a list per column. `lists`: pointers to these."""

    at: str
    lists: tuple[str, ...]

    def of(self, row: int, *index: int) -> str:
        return f"{self.lists[index[0] if index else 0]}/{row}"

    def of_first(self, wrong: npt.NDArray[np.bool_], first_row: int = 0) -> str:
        return _first(self, wrong, first_row)


def _first(places: Places, wrong: npt.NDArray[np.bool_], first_row: int) -> str:
    row, column = map(int, np.unravel_index(int(wrong.argmax()), wrong.shape))
    return places.of(first_row + row, column)


class RowCheck:
    """Finds values that no training row had, as RULE speaks of them."""

    def __init__(self, inputs: TableInputs) -> None:
        usual = np.array([column.usual for column in inputs.columns], np.float32)
        self._low, self._high = usual.T
        self._names = [column.name for column in inputs.columns]
        self._of = {
            code: np.array([column.doubt == code for column in inputs.columns]) for code in EXPECTED
        }

    def __call__(self, parts: Sequence[Part], places: Places) -> tuple[PredictionWarning, ...]:
        """`parts`: rows (n, columns), float32, NaN where a value is missing."""
        rows = cast("Sequence[Raw]", parts)
        found = [(part < self._low) | (part > self._high) for part in rows]
        if not any(map(np.any, found)):
            return ()
        strange = np.concatenate(found)
        told = (self._told(code, strange & own, places) for code, own in self._of.items())
        return tuple(warning for warning in told if warning)

    def _told(
        self, code: Doubt, strange: npt.NDArray[np.bool_], places: Places
    ) -> PredictionWarning | None:
        count = int(strange.sum())
        if not count:
            return None
        names = [f"`{self._names[place]}`" for place in np.flatnonzero(strange.any(axis=0))]
        more = f" and {len(names) - NAMED} more columns" if len(names) > NAMED else ""
        (expected, got), where = EXPECTED[code], ", ".join(names[:NAMED]) + more
        detail = f"{expected}, got {count} {got} ({where})"
        first = places.of_first(strange)
        return PredictionWarning(code=code, detail=detail, pointer=first, count=count)
