"""Items that are cut off as the test split where the data have none: always the same ones."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.intake.labels import Labels
from worker.intake.raw import refuse

SPLIT_SEED = 0

Rows = NDArray[np.intp]


def stratified_split(
    labels: Labels,
    names: Sequence[str],
    test_fraction: float,
    seed: int = SPLIT_SEED,
    keeps_lone: bool = False,
) -> tuple[Rows, Rows]:
    """Rows of the training and of the test split, ascending; each class has items in both. A class
    of one item is refused, or, where `keeps_lone`, in training alone."""
    in_test = np.zeros(len(labels), bool)
    by_class = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels, minlength=len(names)))
    for label, rows in enumerate(np.split(by_class, ends[:-1])):
        if len(rows) < 2 and keeps_lone:
            continue
        if len(rows) < 2:
            detail = (
                f"expected at least 2 items of each class, one for the training and one for the "
                f"test split that is cut from it, got {len(rows)} of `{names[label]}`"
            )
            refuse("empty_split", detail, "y_train")
        chosen = np.random.default_rng([seed, label]).permutation(rows)
        in_test[chosen[: _test_items(len(rows), test_fraction)]] = True
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def random_split(items: int, test_fraction: float, seed: int = SPLIT_SEED) -> tuple[Rows, Rows]:
    """Rows of the training and of the test split, ascending, of items without labels."""
    if items < 2:
        detail = (
            "expected at least 2 items, one for the training and one for the test split that is "
            f"cut from it, got {items}"
        )
        refuse("empty_split", detail, "x_train")
    order = np.random.default_rng(seed).permutation(items)
    test_items = _test_items(items, test_fraction)
    return np.sort(order[test_items:]), np.sort(order[:test_items])


def _test_items(items: int, test_fraction: float) -> int:
    """Draws at least one, and leaves one for training."""
    return min(max(round(items * test_fraction), 1), items - 1)
