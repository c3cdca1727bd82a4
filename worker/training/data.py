"""What a trial is trained on: rows of stored arrays, chosen by indices, never copied as a whole."""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.spec.plan import held_out

Indices = NDArray[np.int64]
Labels = NDArray[
    Any
]  # classes, int32, -1 where hidden; quantities, float32, NaN where there are none
Strata = NDArray[np.integer]  # classes, or codes of worker.evaluation.measures


class Rows(Protocol):
    """An array of rows as numpy's, or a selection of one's rows."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: Any, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class Joined:
    """Arrays of equal shape and dtype, one after the other."""

    parts: tuple[NDArray[Any], ...]  # may be memory maps

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self.parts[0].shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.parts[0].dtype

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def __getitem__(self, key: Any) -> Any:
        rows = np.arange(len(self))[key]
        if np.ndim(rows) == 0:
            return self[rows[None]][0]
        out, start = np.empty((len(rows), *self.shape[1:]), self.dtype), 0
        for part in self.parts:
            inside = (rows >= start) & (rows < start + len(part))
            out[inside] = part[rows[inside] - start]
            start += len(part)
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(np.concatenate(self.parts), dtype)


@dataclass(frozen=True, eq=False)
class Selection:
    """The rows `indices` of `stored`, read from it when they are asked for."""

    stored: NDArray[Any] | Joined  # may be a memory map
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
    """Raw items (n, height, width, channels), uint8 or float32, and labels (n,): classes, int32, -1
    where there are none, or where they are hidden; or quantities, float32, NaN likewise."""

    x: Rows
    y: Labels

    def __len__(self) -> int:
        return len(self.y)

    @property
    def is_labelled(self) -> bool:
        known = self.y >= 0 if self.y.dtype.kind == "i" else ~np.isnan(self.y)
        return bool(known.all())

    def without_labels(self) -> Self:
        return type(self)(self.x, np.full(len(self), -1, np.int32))

    def select(self, indices: Indices) -> Self:
        """The rows `indices` of this split, without copying the items."""
        if isinstance(self.x, Selection):
            x = Selection(self.x.stored, self.x.indices[indices])
        else:
            x = Selection(self.x, indices)  # type: ignore[arg-type]  # Rows that are no Selection are stored
        return type(self)(x, self.y[indices])

    def gather(self, positions: Indices, out: NDArray[Any]) -> None:
        """Writes the items at `positions` (k,) into `out` (k, height, width, channels)."""
        stored: Any = self.x
        if isinstance(self.x, Selection):
            stored, positions = self.x.stored, self.x.indices[positions]
        if isinstance(stored, Joined):
            out[:] = stored[positions]
            return
        np.take(stored, positions, axis=0, out=out, mode="clip")  # clip: numpy's way without a copy


@dataclass(frozen=True, eq=False)
class Domain:
    """A dataset as a trial sees it. The test data is not here: it is touched once, at the end."""

    schema: Schema
    train: Split
    validation: Split


def few_labels(strata: Strata, per_class: int, seed: int) -> Indices:
    """Indices (sorted) of `per_class` items of each class in `strata` (n,), or all of a rarer one.

    For one seed the choices are nested: the 5 items per class are among the 10.
    """
    return _sorted([members[:per_class] for members in _shuffled(strata, seed)])


def cut_validation(strata: Strata, fraction: float, seed: int) -> tuple[Indices, Indices]:
    """(training, validation) indices, sorted, that part `strata` (n,) one by one.

    Validation may be empty: app.spec.plan.held_out says how many each gives.
    """
    train, validation = [], []
    for members in _shuffled(strata, seed):
        cut = held_out(len(members), fraction)
        validation.append(members[:cut])
        train.append(members[cut:])
    return _sorted(train), _sorted(validation)


def cut_at_random(items: int, fraction: float, seed: int) -> tuple[Indices, Indices]:
    """(training, validation) indices, sorted, of items without labels."""
    order, cut = np.random.default_rng(seed).permutation(items), held_out(items, fraction)
    return np.sort(order[cut:]), np.sort(order[:cut])


def few_items(strata: Strata, items: int, seed: int) -> Indices:
    """Indices (sorted) of `items` items, or all where there are fewer, in turn of each stratum.

    For one seed the choices are nested: the 50 items are among the 100.
    """
    strata_in_turn = _shuffled(strata, seed)
    np.random.default_rng(seed).shuffle(strata_in_turn)
    dealt = sorted(
        (turn, place, int(index))
        for place, members in enumerate(strata_in_turn)
        for turn, index in enumerate(members)
    )
    return np.sort(np.array([index for _, _, index in dealt[:items]], np.int64))


def _shuffled(strata: Strata, seed: int) -> list[Indices]:
    """The indices of each stratum in an order of its own, which no other changes."""
    return [
        np.random.default_rng([seed, int(code)]).permutation(np.flatnonzero(strata == code))
        for code in np.unique(strata)
    ]


def _sorted(parts: list[Indices]) -> Indices:
    joined = np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)
    return np.sort(joined)
