"""Scores of how well a source's network may serve a target, guessed before training from its
features.

y: target labels, (n,), any integers. More is better for every score.
"""

import warnings
from typing import Any

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.closed_form_scores import h_score, leep, log_me

ITEMS = 10_000  # what `scores` looks at; of more, it draws these
FOLDS = 5
NEIGHBOURS = 5
RIDGE = 0.1  # over the number of items, for features of unit variance
# More is better of each. LEEP, LogME and H-score: closed_form_scores.py; of `knn` and `probe` the
# cross-validated accuracy, on the features, of 5 nearest neighbours and of a linear (ridge) probe.
SCORES = ("leep", "logme", "h_score", "knn", "probe")


def scores(
    features: Floats, y: Ints, probabilities: Floats | None, seed: int
) -> dict[str, float | None]:
    """All of SCORES, by name; None where one cannot be computed. Never NaN.

    Args:
        features: (n, d).
        probabilities: of the source head on the same items, (n, source classes); None without one.
        seed: draws 10 000 of more items, and the folds.
    """
    rows = _drawn(y, seed)
    features, y = features[rows].astype(np.float64), y[rows]
    found: dict[str, float | None] = dict.fromkeys(SCORES)
    if len(np.unique(y)) < 2:
        return found
    if probabilities is not None and np.isfinite(probabilities[rows]).all():
        found["leep"] = leep(probabilities[rows], y)
    if np.isfinite(features).all() and (features != features[0]).any():
        features /= np.abs(features).max()  # no score depends on it; squares stay in range
        found["logme"] = log_me(features, y)
        found["h_score"] = h_score(features, y)
        found["knn"] = knn_accuracy(features, y, FOLDS, seed)
        found["probe"] = probe_accuracy(features, y, FOLDS, seed)
    return found


def knn_accuracy(features: Floats, y: Ints, folds: int, seed: int) -> float | None:
    """Accuracy of 5 nearest neighbours (or as many as there are), Euclidean, features of unit
    variance. None where a class has fewer than 2 items."""
    neighbours = min(NEIGHBOURS, len(y) // 2)  # of two folds, one learns from half
    model = KNeighborsClassifier(neighbours, algorithm="brute")
    return _held_out_accuracy(model, features.astype(np.float32), y, folds, seed)


def probe_accuracy(features: Floats, y: Ints, folds: int, seed: int) -> float | None:
    """Accuracy of a ridge regression on the classes, features of unit variance. None where a class
    has fewer than 2 items."""
    model = RidgeClassifier(alpha=RIDGE * len(y))
    return _held_out_accuracy(model, features.astype(np.float64), y, folds, seed)


def _held_out_accuracy(
    model: Any, features: Floats, y: Ints, folds: int, seed: int
) -> float | None:
    """The mean over stratified folds, fewer than `folds` where a class has fewer items."""
    classes, counts = np.unique(y, return_counts=True)
    folds = min(folds, int(counts.min()))
    if folds < 2 or len(classes) < 2:
        return None
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    scaled = make_pipeline(StandardScaler(), model)
    with warnings.catch_warnings():
        # Two items per class are few, but they are classes.
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")
        return float(cross_val_score(scaled, features, y, cv=split, error_score="raise").mean())


def _drawn(y: Ints, seed: int) -> Ints:
    """Rows, ascending: all, or ITEMS, of each class in proportion and of none fewer than 2."""
    if len(y) <= ITEMS:
        return np.arange(len(y))
    order = np.random.default_rng(seed).permutation(len(y))
    rank, size = np.empty(len(y)), np.empty(len(y))
    for label in np.unique(y):
        rows = order[y[order] == label]
        rank[rows], size[rows] = np.arange(len(rows)), len(rows)
    first = np.where(rank < 2, 0, (rank + 0.5) / size)
    return np.sort(order[np.argsort(first[order], kind="stable")[:ITEMS]])
