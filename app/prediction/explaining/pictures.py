"""Pictures with a patch painted over."""

from collections.abc import Iterator
from math import ceil, isqrt
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.prediction.explaining.contract import Changes
from app.prediction.explaining.schemas import PictureContributions
from app.prediction.feeds import Part

Pixels = NDArray[Any]  # (height, width, channels)
FEWEST_FOR_THREE = 10  # cells along a side: a patch of three would be most of fewer
ONE_COLOUR = 0.8  # of a border's pixels that are alike
ALIKE = 0.05  # of the picture's own spread of values


class Side(NamedTuple):
    """One side of a picture, cut into cells: `cell` pixels each, the last perhaps less. A patch
    goes `reach` cells beyond its own on either side."""

    length: int
    cell: int
    cells: int
    reach: int

    @classmethod
    def of(cls, length: int, most: int) -> "Side":
        cell = ceil(length / most)
        cells = ceil(length / cell)
        return cls(length, cell, cells, int(cells >= FEWEST_FOR_THREE))

    @property
    def patch(self) -> int:
        return (2 * self.reach + 1) * self.cell

    def span(self, place: int) -> slice:
        start, end = place - self.reach, place + self.reach + 1
        return slice(max(0, start) * self.cell, min(self.length, end * self.cell))


class OccludedPicture:
    """A grid of at most `most` cells, equally many along both sides of a square picture."""

    leaves_nothing = False  # a picture of one colour is one

    def __init__(self, picture: Pixels, most: int) -> None:
        self._picture = picture
        along = max(1, isqrt(most))
        self._down, self._across = (Side.of(length, along) for length in picture.shape[:2])
        self._colour, self._filling = colour_of(picture)

    def __len__(self) -> int:
        return self._down.cells * self._across.cells

    def rows(self, which: range) -> Part:
        shown = np.repeat(self._picture[None], len(which), axis=0)
        for picture, place in zip(shown, which, strict=True):
            down, across = divmod(place, self._across.cells)
            picture[self._down.span(down), self._across.span(across)] = self._colour
        return shown

    def told(self, changes: Changes) -> PictureContributions:
        return PictureContributions(
            cell=(self._down.cell, self._across.cell),
            patch=(self._down.patch, self._across.patch),
            filling=self._filling,
            colour=self._colour.astype(float).tolist(),
            contributions=[*self._lines(changes)],
        )

    def _lines(self, changes: Changes) -> Iterator[list[float | None]]:
        width = self._across.cells
        for start in range(0, len(self), width):
            yield [*changes[start : start + width]]


def colour_of(picture: Pixels) -> tuple[NDArray[Any], Literal["border", "mean"]]:
    """Chooses what a patch is painted with, (channels,) in the picture's own type: strokes go away
    with the colour of their paper, and in a photo a patch becomes its mean colour."""
    edges = (picture[0], picture[-1], picture[:, 0], picture[:, -1])
    border = np.concatenate(edges).astype(np.float64)
    middle = np.median(border, axis=0)
    spread = float(picture.max()) - float(picture.min())
    alike = (np.abs(border - middle) <= ALIKE * spread).all(axis=1)
    is_paper = float(alike.mean()) >= ONE_COLOUR
    colour = middle if is_paper else picture.mean(axis=(0, 1), dtype=np.float64)
    if picture.dtype.kind != "f":
        colour = np.rint(colour)
    return colour.astype(picture.dtype), "border" if is_paper else "mean"
