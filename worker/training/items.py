"""The only holder of rows: named columns, read from where they are stored when they are asked for.

Columns may be memory maps; a selection is a list of row numbers, and the rows of several sources
stand one after the other. Nothing is copied before `read` or `gather`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from app.inputs.mapped import let_go
from app.tensors import Dtype, Tensors, TensorSpec

Indices = NDArray[np.int64]

LARGE = 2**28  # bytes of a column


@dataclass(frozen=True, eq=False)
class Items:
    """Rows of `parts`, alike in names, shapes and dtypes, one part after the other.

    `indices` selects among all rows of the parts, in any order; None: all. `key` names the content
    of the parts, for what is kept of them beyond a trial; None: nothing is kept.
    """

    parts: tuple[Tensors, ...]
    indices: Indices | None = None
    key: str | None = None

    @classmethod
    def of(cls, columns: Tensors, key: str | None = None) -> Self:
        """All rows of columns (n, *shape)."""
        return cls((columns,), key=key)

    @classmethod
    def joined(cls, sources: Sequence["Items"]) -> "Items":
        """The items of all sources, one source after the other."""
        first = sources[0]
        if len(sources) == 1:
            return first
        if all(each.parts is first.parts for each in sources):
            return cls(first.parts, np.concatenate([each.rows for each in sources]), first.key)
        starts = np.cumsum([0, *(each.stored for each in sources)])
        keys = [each.key for each in sources]
        return cls(
            tuple(part for each in sources for part in each.parts),
            None
            if all(each.indices is None for each in sources)
            else np.concatenate([s + each.rows for s, each in zip(starts, sources, strict=False)]),
            None if None in keys else sha256(repr(keys).encode()).hexdigest(),
        )

    @cached_property
    def specs(self) -> tuple[TensorSpec, ...]:
        """The columns, without their rows."""
        return tuple(
            TensorSpec(name, cast(Dtype, column.dtype.name), column.shape[1:])
            for name, column in self.parts[0].items()
        )

    @cached_property
    def stored(self) -> int:
        """Counts how many rows the parts have, selected or not."""
        return sum(map(_rows, self.parts))

    @property
    def rows(self) -> Indices:
        """Numbers of the selected rows, among those stored."""
        return np.arange(self.stored) if self.indices is None else self.indices

    @property
    def whole(self) -> Self:
        """All that is stored, in its order."""
        return type(self)(self.parts, key=self.key)

    @property
    def item_bytes(self) -> int:
        return sum(spec.bytes for spec in self.specs)

    def __len__(self) -> int:
        return self.stored if self.indices is None else len(self.indices)

    def select(self, indices: Any) -> Self:
        """The items at `indices`, an array or a slice. Raises IndexError where there are fewer."""
        return type(self)(self.parts, self.rows[indices], self.key)

    def head(self, count: int) -> Self:
        """The first `count` items, or all where there are fewer."""
        return self.select(slice(count))

    def blocks(self, size: int) -> Iterator[Self]:
        """Yields all items, at most `size` at once; no items are one block."""
        for start in range(0, max(1, len(self)), size):
            yield self.select(slice(start, start + size))

    def gather(self, positions: Indices, out: Tensors) -> None:
        """Writes the items at `positions` (k,) into the columns of `out`, each (k, *shape)."""
        rows = positions if self.indices is None else self.indices[positions]
        if len(self.parts) == 1:
            for name, stored in self.parts[0].items():
                np.take(stored, rows, axis=0, out=out[name], mode="clip")  # clip: without a copy
            _let_go(self.parts[0])
            return
        start = 0
        for part in self.parts:
            inside = (rows >= start) & (rows < start + _rows(part))
            for name, stored in part.items():
                out[name][inside] = stored[rows[inside] - start]
            start += _rows(part)
            _let_go(part)

    def read(self, start: int = 0, stop: int | None = None) -> dict[str, NDArray[Any]]:
        """The columns of the items from `start` to `stop`, in memory or as a view of the store."""
        if len(self.parts) == 1 and self.indices is None:
            _let_go(self.parts[0])  # what was read before
            return {name: column[start:stop] for name, column in self.parts[0].items()}
        positions = np.arange(len(self))[start:stop]
        columns = self.room(len(positions))
        self.gather(positions, columns)
        return columns

    def room(self, count: int) -> dict[str, NDArray[Any]]:
        """Empty columns, zeros, for `count` items."""
        return {
            name: np.zeros((count, *column.shape[1:]), column.dtype)
            for name, column in self.parts[0].items()
        }


def _let_go(part: Tensors) -> None:
    """Lets go of the pages of large files that were read: the kernel keeps them as long as it has
    room, but they are no longer this process's memory."""
    for column in part.values():
        if column.nbytes >= LARGE:
            let_go(column)


def _rows(part: Tensors) -> int:
    return len(next(iter(part.values())))
