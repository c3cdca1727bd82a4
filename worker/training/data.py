"""What a trial is trained on: rows of stored arrays, chosen by indices, never copied as a whole."""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.jobs.plan import held_out

Indices = NDArray[np.int64]
Labels = NDArray[np.int32]


class Rows(Protocol):
    """An array of rows as numpy's, or a selection of one's rows."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: Any, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class Selection:
    """The rows `indices` of `stored`, read from it when they are asked for."""

    stored: NDArray[Any]  # may be a memory map
    indices: Indices

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.indices), *self.stored.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.stored.dtype

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, key: Any) -> Any:
        return self.stored[self.indices[key]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self.stored[self.indices], dtype)


@dataclass(frozen=True, eq=False)
class Split:
    """Raw items (n, height, width, channels), uint8 or float32, and labels (n,), int32."""

    x: Rows
    y: Labels

    def __len__(self) -> int:
        return len(self.y)

    def select(self, indices: Indices) -> Self:
        """The rows `indices` of this split, without copying the items."""
        if isinstance(self.x, Selection):
            x = Selection(self.x.stored, self.x.indices[indices])
        else:
            x = Selection(self.x, indices)  # type: ignore[arg-type]  # Rows that are no Selection are numpy's
        return type(self)(x, self.y[indices])

    def gather(self, positions: Indices, out: NDArray[Any]) -> None:
        """Writes the items at `positions` (k,) into `out` (k, height, width, channels)."""
        if isinstance(self.x, Selection):
            stored, positions = self.x.stored, self.x.indices[positions]
        else:
            stored = np.asarray(self.x)
        np.take(stored, positions, axis=0, out=out, mode="clip")  # clip: numpy's way without a copy


@dataclass(frozen=True, eq=False)
class Domain:
    """A dataset as a trial sees it. The test data is not here: it is touched once, at the end."""

    schema: Schema
    train: Split
    validation: Split


def few_labels(y: Labels, per_class: int, seed: int) -> Indices:
    """Indices (sorted) of `per_class` items of each class in `y` (n,), or all of a rarer one.

    For one seed the choices are nested: the 5 items a class are among the 10.
    """
    return _sorted([members[:per_class] for members in _shuffled_classes(y, seed)])


def cut_validation(y: Labels, fraction: float, seed: int) -> tuple[Indices, Indices]:
    """(training, validation) indices, sorted, that part `y` (n,) class by class.

    Validation may be empty: app.jobs.plan.held_out says how many each class gives.
    """
    train, validation = [], []
    for members in _shuffled_classes(y, seed):
        cut = held_out(len(members), fraction)
        validation.append(members[:cut])
        train.append(members[cut:])
    return _sorted(train), _sorted(validation)


def _shuffled_classes(y: Labels, seed: int) -> list[Indices]:
    """The indices of each class in an order of its own, which no other class changes."""
    return [
        np.random.default_rng([seed, int(label)]).permutation(np.flatnonzero(y == label))
        for label in np.unique(y)
    ]


def _sorted(parts: list[Indices]) -> Indices:
    joined = np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)
    return np.sort(joined)
