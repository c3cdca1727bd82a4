"""Items held out where some belong together: whole groups, never a part of one.

Rows of one patient, or photographs of one animal, are alike. With some of them in training and
others held out, arms are chosen, stopped and calibrated by what they know by heart.
"""

import numpy as np
from numpy.typing import NDArray

from app.spec.training import held_out
from worker.training.items import Indices

MOST_HELD_OUT = 1 / 3  # of the items, where no group is as small as what is to be held out

Codes = NDArray[np.integer]


def cut_groups(strata: Codes, groups: Codes, fraction: float, seed: int) -> tuple[Indices, Indices]:
    """(training, validation) indices, sorted, with no group in both.

    Groups come in random order, and one is held out where it brings the items that are held out of
    each of the `strata` (n,) nearer to app.spec.training.held_out, and leaves each an item to
    learn. Where groups are too large for that the smallest is held out, up to a third of all items;
    else none is.
    """
    _, own, totals = np.unique(strata, return_inverse=True, return_counts=True)
    left = np.array([held_out(int(total), fraction) for total in totals], np.int64)
    rest, taken = totals.copy(), list[Indices]()
    for members in shuffled_groups(groups, seed):
        if left.sum() <= 0:
            break
        codes, counts = np.unique(own[members], return_counts=True)
        short = left[codes]
        if (rest[codes] > counts).all() and np.abs(short - counts).sum() < np.abs(short).sum():
            left[codes] -= counts
            rest[codes] -= counts
            taken.append(members)
    if not taken and left.any():
        taken = _smallest(own, totals, groups, seed)
    held = np.zeros(len(strata), np.bool_)
    held[np.concatenate([np.empty(0, np.int64), *taken])] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def shuffled_groups(groups: Codes, seed: int) -> list[Indices]:
    """The indices of each group's items, ascending, the groups in random order."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order])) + 1
    members = np.split(order, starts)
    return [members[place] for place in np.random.default_rng(seed).permutation(len(members))]


def _smallest(own: Codes, totals: Codes, groups: Codes, seed: int) -> list[Indices]:
    """The smallest group that leaves an item of each stratum, unless it is too large."""
    for members in sorted(shuffled_groups(groups, seed), key=len):
        if len(members) > MOST_HELD_OUT * len(own):
            break
        codes, counts = np.unique(own[members], return_counts=True)
        if (totals[codes] > counts).all():
            return [members]
    return []
