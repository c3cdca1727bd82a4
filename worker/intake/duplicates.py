"""Pictures that stand more than once, and those that do so under different labels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Labels = NDArray[np.int32]


def duplicates(hashes: Mapping[str, Hashes], labels: Mapping[str, Labels]) -> dict[str, Any]:
    """Counts over the splits `train` and `test`.

    Args:
        hashes: (items,), equal for equal pictures.
        labels: (items,), the class; -1 throughout a split without labels.

    Returns:
        `train`, `test`: items beyond the first of each picture; `across_splits`: test items whose
        picture stands in training too; `contradicting.within`: pictures of a split that carry more
        than one label; `contradicting.across_splits`: test items whose picture carries another
        label in training.
    """
    ordered = {split: np.sort(held) for split, held in hashes.items()}
    pictures = {split: held[_is_first(held)] for split, held in ordered.items()}
    again = [held[~_is_first(held)] for held in ordered.values()]
    common = ordered["test"][_is_among(pictures["train"], ordered["test"])]
    suspected = np.unique(np.concatenate([*again, common]))
    held = {split: _is_among(suspected, hashes[split]) for split in hashes}
    pairs = {
        split: _pairs(hashes[split][held[split]], labels[split][held[split]]) for split in held
    }
    test, of_test = hashes["test"][held["test"]], labels["test"][held["test"]]
    return {
        **{split: len(hashes[split]) - len(pictures[split]) for split in hashes},
        "across_splits": len(common),
        "contradicting": {
            "within": {split: _contradicted(pairs[split]) for split in hashes},
            "across_splits": _across(pairs["train"], test, of_test),
        },
    }


def _is_first(ordered: Hashes) -> NDArray[np.bool]:
    """(items,), false where the one before is the same."""
    is_first = np.ones(len(ordered), np.bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    return is_first


def _is_among(known: Hashes, pictures: Hashes) -> NDArray[np.bool]:
    """(items,), whether each picture is one of the known ones, which ascend."""
    if not len(known):
        return np.zeros(len(pictures), np.bool)
    place = np.minimum(np.searchsorted(known, pictures), len(known) - 1)
    found: NDArray[np.bool] = known[place] == pictures
    return found


def _pairs(hashes: Hashes, labels: Labels) -> tuple[Hashes, Labels]:
    """Each picture with each of its labels once, in the order of the pictures; items without a
    label are left out."""
    has_label = labels >= 0
    pictures, labels = hashes[has_label], labels[has_label]
    order = np.lexsort((labels, pictures))
    pictures, labels = pictures[order], labels[order]
    is_first = np.ones(len(order), np.bool)
    is_first[1:] = (pictures[1:] != pictures[:-1]) | (labels[1:] != labels[:-1])
    return pictures[is_first], labels[is_first]


def _contradicted(pairs: tuple[Hashes, Labels]) -> int:
    _, counts = np.unique(pairs[0], return_counts=True)
    return int((counts > 1).sum())


def _across(train: tuple[Hashes, Labels], pictures: Hashes, labels: Labels) -> int:
    """Items of which training holds the picture under another label."""
    known, label = train
    if not len(known):
        return 0
    first = np.searchsorted(known, pictures, "left")
    last = np.searchsorted(known, pictures, "right")
    only = label[np.minimum(first, len(known) - 1)]
    differs = (last - first > 1) | ((last - first == 1) & (only != labels))
    return int((differs & (labels >= 0)).sum())
