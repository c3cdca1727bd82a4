"""Places of items that are in one list of a body, one by one."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.inputs import Inputs
from app.inputs.table import TableInputs
from app.prediction.inputs import Places
from app.prediction.rows import RowPlaces


class ItemPlaces(NamedTuple):
    """Items whose values have no pointers of their own."""

    at: str

    def of(self, row: int, *index: int) -> str:
        return f"{self.at}/{row}"

    def of_first(self, wrong: npt.NDArray[np.bool_], first_row: int = 0) -> str:
        return self.of(first_row + int(np.unravel_index(int(wrong.argmax()), wrong.shape)[0]))


def places_of(inputs: Inputs, at: str) -> Places:
    """`at`: a pointer to the list of items."""
    if isinstance(inputs, TableInputs):
        return RowPlaces.of_inputs(at, inputs)
    return ItemPlaces(at)
