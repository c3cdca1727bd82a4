"""The values that a model was trained on, and what a request with others is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, cast

import numpy as np

from app.errors import Invalid, invalid
from app.inputs.dense import DenseInputs
from app.prediction.feeds import Part
from app.prediction.inputs import Asked, Places, Raw, numbered
from app.prediction.schemas import PredictionWarning

LOWEST_BYTE, HIGHEST_BYTE = -0.5, 255.5  # what rounds to a byte
PICTURE_HIGH = 10.0  # no fraction of white comes near it, and nearly all pictures of bytes pass it
MARGIN = 0.1
TOO_LARGE = (
    "some above 10: divide them by the largest that can be, 255 where they have 8 bits and 65535 "
    "where they have 16"
)

RULE = """Values are held against the `value_range` of the model's signature, by the least and the
largest value of the whole request. The first line that fits decides:

| trained on | values of the request | answer |
|---|---|---|
| `uint8`, from 0 or more to 10 or more | all from -1 to 1, some not whole | 422 `wrong_scale` |
| 0 to 1 | none below 0, one above 10 | 422 `wrong_scale` |
| `uint8` | one that does not round to 0 to 255, as -1 or 256 | 422 `out_of_range` |
| from 0 or more to 10 or more | all from -1 to 1, not all 0 | warning `wrong_scale` |
| any range | one outside by more than a tenth of its width | warning `out_of_range` |

A warning stands in `warnings`, beside `outputs`. Fractions such as 1.5 are taken, since resized
pictures hold them; where one is so dark that all of it lies below 1, round it. A black picture, all
0, is taken as it is. NaN and infinite values are 422 `not_finite`. A model whose `value_range` is
null, as in earlier releases, takes all finite values.
"""


@dataclass(frozen=True)
class ValueRange:
    """Range of a model's training data, as RULE speaks of it."""

    low: float
    high: float
    is_uint8: bool

    @classmethod
    def of(cls, inputs: DenseInputs) -> Self | None:
        """Returns None where they name no range."""
        if inputs.value_range is None:
            return None
        return cls(*inputs.value_range, inputs.dtype == "uint8")

    def check(self, asked: Asked) -> PredictionWarning | None:
        """Raises Invalid where RULE refuses the request."""
        least, largest, everywhere = asked.least, asked.largest, asked.place.at
        is_picture = self.low >= 0 and self.high >= PICTURE_HIGH
        is_small = is_picture and least >= -1 and largest <= 1 and not least == largest == 0
        if is_small and self.is_uint8 and _has_fractions(asked.parts):
            raise invalid("wrong_scale", f"{self._expected}, got {self._all_small}", everywhere)
        if (self.low, self.high) == (0, 1) and least >= 0 and largest > PICTURE_HIGH:
            raise invalid("wrong_scale", f"{self._expected}, got {TOO_LARGE}", everywhere)
        if self.is_uint8 and (least < LOWEST_BYTE or largest > HIGHEST_BYTE):
            raise _no_bytes(*_beyond(asked, LOWEST_BYTE, HIGHEST_BYTE))
        if is_small:
            detail = f"{self._expected}, got {self._all_small}"
            return PredictionWarning(code="wrong_scale", detail=detail, pointer=everywhere)
        margin = MARGIN * (self.high - self.low)
        lowest, highest = self.low - margin, self.high + margin
        if least < lowest or largest > highest:
            return self._outside(*_beyond(asked, lowest, highest))
        return None

    @property
    def _expected(self) -> str:
        return f"expected values from {self.low:g} to {self.high:g}, as the model was trained on"

    @property
    def _all_small(self) -> str:
        return (
            "none but from -1 to 1: send them as they stood in the training data, those of 0 to 1 "
            f"multiplied by {self.high:g}"
        )

    def _outside(self, count: int, first: str) -> PredictionWarning:
        detail = (
            f"{self._expected}, got {count} further outside than a tenth of that: send "
            "values as they stood in the training data; the scores of others may mean nothing"
        )
        return PredictionWarning(code="out_of_range", detail=detail, pointer=first, count=count)


class ArrayCheck:
    """Holds arrays against what the model was trained on, `None` where it does not say."""

    def __init__(self, trained_on: ValueRange | None) -> None:
        self._trained_on = trained_on

    def __call__(self, parts: Sequence[Part], places: Places) -> tuple[PredictionWarning, ...]:
        asked = Asked.of(cast("Sequence[Raw]", parts), places)
        warning = self._trained_on.check(asked) if self._trained_on else None
        return (warning,) if warning else ()


def _no_bytes(count: int, first: str) -> Invalid:
    detail = (
        "expected values that round to 0 to 255, as the model was trained on uint8, got "
        f"{count} others: clip what resizing made, divide 16-bit values by 257, send "
        "values that were standardised as they were before"
    )
    return invalid("out_of_range", detail, first)


def _beyond(asked: Asked, lowest: float, highest: float) -> tuple[int, str]:
    """How many values, at least one, and a pointer to the first. Compared in float64, as the
    extremes were."""
    count, first = 0, ""
    for at, part in numbered(asked.parts):
        beyond = (part < np.float64(lowest)) | (part > np.float64(highest))
        if found := int(beyond.sum()):
            first = first or asked.place.of_first(beyond, at)
            count += found
    return count, first


def _has_fractions(parts: Sequence[Raw]) -> bool:
    return any(bool((part != np.rint(part)).any()) for _, part in numbered(parts))
