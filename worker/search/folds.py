"""Folds of the labelled items of a trial, to compare candidates on held-out ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.training.data import Domain, Groups, Split, cut_at_random, cut_validation
from worker.training.group_cuts import shuffled_groups
from worker.training.items import Indices

FOLDS, REPEATS = 3, 2
FRACTION = 0.2  # of the items, where one fold is enough
ENOUGH, MOST = 500, 2000  # held-out items of one fold: an accuracy's standard error is 2 %, 1 %


@dataclass(frozen=True, eq=False)
class Fold:
    train: Indices
    held_out: Indices


def folds(strata: NDArray[np.integer], seed: int, groups: Groups | None = None) -> list[Fold]:
    """One fold where items are many, else FOLDS of cross-validation, stratified, parted anew
    REPEATS times; none where no class, or part of a quantity's range, has two items.

    All folds are of one size, so that one compiled loop serves them: up to FOLDS - 1 items, and a
    class's only item, are never held out.

    Args:
        strata: of worker.evaluation.measures, (n,); -1 where labels are hidden, and then all are
            taken for one class.
        groups: (n,), of which none is in both parts of a fold; None: each item is by itself.
    """
    if FRACTION * len(strata) >= ENOUGH:
        fraction = min(FRACTION, MOST / len(strata))
        if (strata < 0).any():
            fold = Fold(*cut_at_random(len(strata), fraction, seed, groups))
        else:
            fold = Fold(*cut_validation(strata, fraction, seed, groups))
        return [fold] if len(fold.held_out) else []
    if groups is not None:
        return [fold for k in range(REPEATS) for fold in _of_groups(strata, groups, seed + k)]
    rng = np.random.default_rng(seed)
    return [fold for _ in range(REPEATS) for fold in _parted(strata, rng)]


def _parted(strata: NDArray[np.integer], rng: np.random.Generator) -> list[Fold]:
    classes = [rng.permutation(np.flatnonzero(strata == label)) for label in np.unique(strata)]
    dealt = [member for members in classes if len(members) > 1 for member in members]
    count = min(FOLDS, len(dealt))
    parts = [np.array(dealt[place::count], np.int64) for place in range(count)]
    size = len(dealt) // max(1, count)
    held = [np.sort(part[:size]) for part in parts]
    return [Fold(np.setdiff1d(np.arange(len(strata)), part), part) for part in held]


def _of_groups(strata: NDArray[np.integer], groups: Groups, seed: int) -> list[Fold]:
    """Deals whole groups, each to the part that has the fewest items of its classes. Parts differ
    in size then: of the larger ones some items are not held out, and none are learnt instead."""
    _, own, totals = np.unique(strata, return_inverse=True, return_counts=True)
    dealt = sorted(shuffled_groups(groups, seed), key=len, reverse=True)
    if len(dealt) < 2:
        return []
    parts: list[list[Indices]] = [[] for _ in range(min(FOLDS, len(dealt)))]
    held = np.zeros((len(parts), len(totals)), np.int64)
    for members in dealt:
        codes, counts = np.unique(own[members], return_counts=True)
        alike = (held[:, codes] * counts / totals[codes]).sum(axis=1)
        part = int(np.lexsort((held.sum(axis=1), alike))[0])
        parts[part].append(members)
        held[part, codes] += counts
    whole = [np.concatenate(part) for part in parts]
    size, learnt = min(map(len, whole)), len(strata) - max(map(len, whole))
    rng = np.random.default_rng(seed)
    return [
        Fold(
            np.sort(rng.permutation(np.setdiff1d(np.arange(len(strata)), part))[:learnt]),
            np.sort(rng.permutation(part)[:size]),
        )
        for part in whole
    ]


def pooled(domain: Domain) -> Split:
    """All items of a trial that are not for testing."""
    return Split.joined([domain.train, domain.validation], is_one_origin=True)
