"""A tensor as a body states it beside the numbers: shape and datatype."""

import math
from typing import Any, NamedTuple

import numpy as np

from app.errors import Invalid, invalid
from app.inputs.dense import taken_shapes
from app.prediction.inputs import Place, Raw
from app.prediction.shapes import wrong_shape


class Stated(NamedTuple):
    """`pointer`: to the tensor in the body, which has members `shape` and `datatype`."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    pointer: str

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Tells whether these are one or more inputs of a model's shape."""
        return bool(self.shape) and self.shape[0] > 0 and self.shape[1:] in taken_shapes(shape)

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raises Invalid."""
        if not self.fits(shape):
            raise wrong_shape(shape, self.shape, f"{self.pointer}/shape")

    def check_rows(self, rows: int, place: Place) -> None:
        """Raises Invalid unless so many inputs came as were stated."""
        if rows != self.shape[0]:
            raise self.wrong_count(rows * math.prod(self.shape[1:]), place)

    def wrong_count(self, got: int, place: Place) -> Invalid:
        wanted = math.prod(self.shape)
        detail = f"expected {wanted} numbers for the shape {list(self.shape)}, got {got}"
        return invalid("wrong_shape", detail, place.at)

    def check_values(self, part: Raw, place: Place, first_row: int) -> None:
        """Raises Invalid where a number is none of the datatype; floating-point ones all are."""
        if self.dtype.kind == "f" or part.dtype == self.dtype:
            return
        limits = np.iinfo(self.dtype)
        broken = part != np.rint(part)
        is_within = part.min() >= limits.min and part.max() <= limits.max
        if broken.any() or not is_within:
            wrong = broken | (part < limits.min) | (part > limits.max)
            detail = (
                f"expected whole numbers from {limits.min} to {limits.max}, as `datatype` says, "
                f"got {int(wrong.sum())} others: say FP32 where there are fractions"
            )
            raise invalid("not_of_datatype", detail, place.of_first(wrong, first_row))
