"""Sizes of items of several parts, by which networks are counted."""

from collections.abc import Sequence
from typing import NamedTuple, Self

Layout = tuple[int, int, int]  # height, width, channels


class PartLayout(NamedTuple):
    """One part of an item."""

    name: str
    modality: str
    layout: Layout
    tokens: int


class JoinedLayout(tuple[int, int, int]):
    """Height, width and channels of all numbers of an item as one row, which knows its parts."""

    parts: tuple[PartLayout, ...]

    @classmethod
    def of(cls, parts: Sequence[PartLayout]) -> Self:
        whole = cls((1, 1, sum(h * w * c for h, w, c in (part.layout for part in parts))))
        whole.parts = tuple(parts)
        return whole
