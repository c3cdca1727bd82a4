"""Confident learning: how many labels are wrong, class by class, and which.

Northcutt, Jiang & Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70,
2021, sections 3.1 (equations 1 and 2) and 3.2 (method 3, prune by class).

t_j   = mean of p_ij over the items labelled j                  how sure one is of that class
C_jk  = items labelled j whose largest p_ik among those with p_ik >= t_k is of k
n_j   = |labelled j| sum_{k != j} C_jk / sum_k C_jk             wrong labels among those of j
m_i   = max_{k != y_i} p_ik - p_i,y_i                           the score, -1..1

Of each class the n_j items with the largest m are suspects, where m is .2 or more: a smaller one is
a dispute of two neighbours, which right labels have as often. p is what others say of
an item (neighbours.py). A class with fewer items than an item has neighbours is outvoted whatever
its labels: it has no suspects; and at most half of any other has.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.audit.neighbours import NEIGHBOURS, Votes

LEAST_MARGIN = 0.2  # of the votes
ROUNDING = 1e-9  # of a mean of equal shares


@dataclass(frozen=True, eq=False)
class Suspects:
    """Items whose labels are likely wrong, the likeliest first: `items` (s,), int64, their places;
    `proposed` (s,), int32, the labels they may have; `scores` (s,), float64, .2 to 1."""

    items: NDArray[np.int64]
    proposed: NDArray[np.int32]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.items)


def find_suspects(votes: Votes, y: NDArray[np.int32], classes: int) -> Suspects:
    """`y`: the labels as they are, (n,), 0 <= y < classes."""
    best_other, scores = _margins(votes, y)
    wrong = _wrong_per_class(votes, y, classes)
    chosen = list[NDArray[np.int64]]()
    for label in np.flatnonzero(wrong):
        members = np.flatnonzero((y == label) & (scores >= LEAST_MARGIN))
        order = np.argsort(-scores[members], kind="stable")
        chosen.append(members[order[: wrong[label]]])
    items = np.concatenate([np.empty(0, np.int64), *chosen])
    items = items[np.argsort(-scores[items], kind="stable")]
    return Suspects(items, best_other[items], scores[items])


def _margins(votes: Votes, y: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The likeliest other label and m, (n,) both; of an item that all neighbours agree with, its
    own label and -1."""
    others = np.where(votes.labels == y[:, None], -1.0, votes.shares)
    place = others.argmax(axis=1)[:, None]
    best = np.take_along_axis(votes.labels, place, axis=1)[:, 0]
    share = np.maximum(0.0, np.take_along_axis(others, place, axis=1)[:, 0])
    return best, share - votes.own


def _wrong_per_class(votes: Votes, y: NDArray[np.int32], classes: int) -> NDArray[np.int64]:
    """n of each class, (classes,)."""
    counts = np.bincount(y, minlength=classes)
    thresholds = np.bincount(y, weights=votes.own, minlength=classes) / np.maximum(counts, 1)
    sure = np.where(votes.shares >= thresholds[votes.labels] - ROUNDING, votes.shares, -1.0)
    place = sure.argmax(axis=1)[:, None]
    is_sure = np.take_along_axis(sure, place, axis=1)[:, 0] > 0
    said = np.take_along_axis(votes.labels, place, axis=1)[:, 0]
    known = np.bincount(y[is_sure], minlength=classes)
    off = np.bincount(y[is_sure & (said != y)], minlength=classes)
    wrong = np.rint(counts * off / np.maximum(known, 1)).astype(np.int64)
    wrong[counts < NEIGHBOURS] = 0
    return np.minimum(wrong, counts // 2)
