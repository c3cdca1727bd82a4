"""Folds of the labelled items of a trial, to compare candidates on held-out ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.training.data import Domain, Split, cut_at_random, cut_validation
from worker.training.items import Indices, Items

FOLDS, REPEATS = 3, 2
FRACTION = 0.2  # of the items, where one fold is enough
ENOUGH, MOST = 500, 2000  # held-out items of one fold: an accuracy's standard error is 2 %, 1 %


@dataclass(frozen=True, eq=False)
class Fold:
    train: Indices
    held_out: Indices


def folds(strata: NDArray[np.integer], seed: int) -> list[Fold]:
    """One fold where items are many, else FOLDS of cross-validation, stratified, parted anew
    REPEATS times; none where no class, or part of a quantity's range, has two items.

    All folds are of one size, so that one compiled loop serves them: up to FOLDS - 1 items, and a
    class's only item, are never held out.

    Args:
        strata: of worker.evaluation.measures, (n,); -1 where labels are hidden, and then all are
            taken for one class.
    """
    if FRACTION * len(strata) >= ENOUGH:
        fraction = min(FRACTION, MOST / len(strata))
        if (strata < 0).any():
            return [Fold(*cut_at_random(len(strata), fraction, seed))]
        return [Fold(*cut_validation(strata, fraction, seed))]
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


def pooled(domain: Domain) -> Split:
    """All items of a trial that are not for testing."""
    train, validation = domain.train, domain.validation
    return Split(
        Items.joined([train.items, validation.items]),
        np.concatenate([train.y, validation.y]),
        np.concatenate([train.known, validation.known]),
    )
