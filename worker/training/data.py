"""What a trial is trained on: items and their labels."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.spec.plan import held_out
from worker.training.items import Indices, Items

Labels = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Split:
    """Raw items and their labels `y` (n,), int32, of which those that are not `known` (n,) mean
    nothing: there are none, or they are hidden."""

    items: Items
    y: Labels
    known: NDArray[np.bool_]

    @classmethod
    def stored(cls, items: Items, labels: NDArray[Any]) -> Self:
        """Of labels as they are on disk: -1 where there are none."""
        known = labels >= 0
        return cls(items, np.where(known, labels, 0).astype(np.int32), known)

    def __len__(self) -> int:
        return len(self.y)

    @property
    def is_labelled(self) -> bool:
        return bool(self.known.all())

    def without_labels(self) -> Self:
        return type(self)(self.items, np.zeros_like(self.y), np.zeros(len(self), np.bool_))

    def select(self, indices: Any) -> Self:
        """The items at `indices`, an array or a slice."""
        return type(self)(self.items.select(indices), self.y[indices], self.known[indices])


@dataclass(frozen=True, eq=False)
class Domain:
    """A dataset as a trial sees it. The test data is not here: it is touched once, at the end."""

    schema: Schema
    train: Split
    validation: Split


def few_labels(y: Labels, per_class: int, seed: int) -> Indices:
    """Indices (sorted) of `per_class` items of each class in `y` (n,), or all of a rarer one.

    For one seed the choices are nested: the 5 items per class are among the 10.
    """
    return _sorted([members[:per_class] for members in _shuffled_classes(y, seed)])


def cut_validation(y: Labels, fraction: float, seed: int) -> tuple[Indices, Indices]:
    """(training, validation) indices, sorted, that part `y` (n,) class by class.

    Validation may be empty: app.spec.plan.held_out says how many each class gives.
    """
    train, validation = [], []
    for members in _shuffled_classes(y, seed):
        cut = held_out(len(members), fraction)
        validation.append(members[:cut])
        train.append(members[cut:])
    return _sorted(train), _sorted(validation)


def cut_at_random(items: int, fraction: float, seed: int) -> tuple[Indices, Indices]:
    """(training, validation) indices, sorted, of items without labels."""
    order, cut = np.random.default_rng(seed).permutation(items), held_out(items, fraction)
    return np.sort(order[cut:]), np.sort(order[:cut])


def _shuffled_classes(y: Labels, seed: int) -> list[Indices]:
    """The indices of each class in an order of its own, which no other class changes."""
    return [
        np.random.default_rng([seed, int(label)]).permutation(np.flatnonzero(y == label))
        for label in np.unique(y)
    ]


def _sorted(parts: list[Indices]) -> Indices:
    joined = np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)
    return np.sort(joined)
