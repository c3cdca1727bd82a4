"""Data that a trial is trained on: items and their labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.spec.training import held_out
from worker.training.group_cuts import cut_groups
from worker.training.items import Indices, Items

Labels = NDArray[Any]  # (n,): classes, int32, or quantities, float32; (n, K): 0 and 1, int32
Strata = NDArray[np.integer]  # classes, or codes of worker.evaluation.measures
Groups = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Raw items and labels `y`, of which those that are not `known` (n,) mean nothing: there are
    none, or they are hidden. `groups` (n,): equal for items that belong together, as those of one
    patient, which are never cut apart; None: each is by itself."""

    items: Items
    y: Labels
    known: NDArray[np.bool_]
    groups: Groups | None = None

    @classmethod
    def stored(cls, items: Items, labels: NDArray[Any], groups: Groups | None = None) -> Self:
        """Makes a split of labels as they are on disk: -1 or NaN where there are none."""
        dtype = np.int32 if labels.dtype.kind == "i" else np.float32
        known: Any = labels >= 0 if dtype == np.int32 else ~np.isnan(labels)
        y = np.where(known, labels, 0).astype(dtype)
        return cls(items, y, known if known.ndim == 1 else known.all(axis=1), groups)

    @classmethod
    def joined(cls, parts: Sequence[Self], is_one_origin: bool) -> Self:
        """Makes one split of several. `is_one_origin`: groups of equal numbers are the same."""
        return cls(
            Items.joined([part.items for part in parts]),
            np.concatenate([part.y for part in parts]),
            np.concatenate([part.known for part in parts]),
            _joined_groups([(len(part), part.groups) for part in parts], is_one_origin),
        )

    def __len__(self) -> int:
        return len(self.y)

    @property
    def is_labelled(self) -> bool:
        return bool(self.known.all())

    def without_labels(self) -> Self:
        known = np.zeros(len(self), np.bool_)
        return type(self)(self.items, np.zeros_like(self.y), known, self.groups)

    def select(self, indices: Any) -> Self:
        """The items at `indices`, an array or a slice."""
        groups = None if self.groups is None else self.groups[indices]
        return type(self)(self.items.select(indices), self.y[indices], self.known[indices], groups)


@dataclass(frozen=True, eq=False)
class Domain:
    """A dataset as a trial sees it. The test data is not here: it is touched once, at the end.

    `suspects`: training items that were left out because their labels are likely wrong.
    """

    schema: Schema
    train: Split
    validation: Split
    suspects: int = 0


def few_labels(strata: Strata, per_class: int, seed: int) -> Indices:
    """Indices (sorted) of `per_class` items of each class in `strata` (n,), or all of a rarer one.

    For one seed the choices are nested: the 5 items per class are among the 10.
    """
    return _sorted([members[:per_class] for members in _shuffled(strata, seed)])


def cut_validation(
    strata: Strata, fraction: float, seed: int, groups: Groups | None = None
) -> tuple[Indices, Indices]:
    """(training, validation) indices, sorted, that part `strata` (n,) one by one; `groups` (n,) of
    them are never cut apart.

    Validation may be empty: app.spec.plan.held_out says how many each gives.
    """
    if groups is not None:
        return cut_groups(strata, groups, fraction, seed)
    train, validation = [], []
    for members in _shuffled(strata, seed):
        cut = held_out(len(members), fraction)
        validation.append(members[:cut])
        train.append(members[cut:])
    return _sorted(train), _sorted(validation)


def cut_at_random(
    items: int, fraction: float, seed: int, groups: Groups | None = None
) -> tuple[Indices, Indices]:
    """(training, validation) indices, sorted, of items without labels."""
    if groups is not None:
        return cut_groups(np.zeros(items, np.int64), groups, fraction, seed)
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


def _joined_groups(
    parts: Sequence[tuple[int, Groups | None]], is_one_origin: bool
) -> Groups | None:
    """`parts`: how many items each has, and their groups."""
    if all(groups is None for _, groups in parts):
        return None
    first, found = 0, list[Groups]()
    for items, groups in parts:
        own = np.arange(items) if groups is None else groups
        found.append(own + first)
        first += 0 if is_one_origin else int(own.max(initial=-1)) + 1
    return np.concatenate(found)


def _sorted(parts: list[Indices]) -> Indices:
    joined = np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)
    return np.sort(joined)
