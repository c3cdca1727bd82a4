"""Labels of which an item may have any number: a matrix of 0 and 1, a column per label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.tasks.multi_label import MultiLabel
from worker.evaluation.measures.multi_label import rarest_codes
from worker.intake.labels import CLASS_LIMIT, NO_LABEL, check_distinct, check_names, text_of
from worker.intake.raw import Array, refuse
from worker.intake.splits import SPLIT_SEED, Rows, random_split, stratified_split
from worker.intake.targets.contract import Stored

MOST_NAMED = 20  # labels in the profile and in a sentence


@dataclass(frozen=True)
class LabelsTarget:
    names: tuple[str, ...]
    texts: Sequence[str] = ()
    ignores_names: bool = False
    part: str = "part of the items in the order of their rarest labels"

    @classmethod
    def of(cls, labels: Mapping[str, Array | None], class_names: Array | None) -> "LabelsTarget":
        """Raises WorkFailure `dataset_invalid`."""
        for split, held in labels.items():
            if held is not None:
                columns = _columns(held, f"y_{split}")
                return cls(_names(columns, class_names, f"y_{split}"))
        detail = (
            "expected labels of a split where `task` is multi_label, got none: how many there are "
            "is not known; leave `task` out of the spec of data without labels"
        )
        refuse("missing_array", detail, "y_train")

    def encode(self, labels: Array | None, items: int, split: str) -> Stored:
        """Returns (items, K), int8: 0 and 1, -1 throughout without labels."""
        shape, array = (items, len(self.names)), f"y_{split}"
        if labels is None:
            return np.full(shape, NO_LABEL, np.int8)
        if _columns(labels, array) != len(self.names):
            detail = (
                f"expected {len(self.names)} columns in {array}, one per label as in the other "
                f"split, got {labels.shape[1]}"
            )
            refuse("shape_mismatch", detail, array)
        others = ~((labels == 0) | (labels == 1))
        if count := int(others.sum()):
            row, column = (int(place) for place in np.argwhere(others)[0])
            detail = (
                f"expected 0 and 1 alone in {array}, whether an item has a label or not, got "
                f"{count} other values, the first in row {row}, column {column}: "
                f"{labels[row, column]:g}; an item of which that is not known has one value, as "
                "-1, in all its columns, and `missing_label` in the spec says which"
            )
            refuse("wrong_type", detail, array)
        return labels.astype(np.int8)

    def cut(self, y: Stored, fraction: float, seed: int = SPLIT_SEED) -> tuple[Rows, Rows]:
        if len(y) < 2:
            return random_split(len(y), fraction, seed)
        codes = rarest_codes(y, seed)
        names = [f"part {code}" for code in range(int(codes.max()) + 1)]
        return stratified_split(codes.astype(np.int32), names, fraction, seed)

    def task(self, y: Mapping[str, Stored]) -> MultiLabel:
        for split, stored in y.items():
            held = known_rows(stored)
            if len(held):
                if (held == held[0]).all():
                    detail = (
                        f"expected labels that differ in y_{split}, got the same row for each of "
                        f"the {len(held)} items: there is nothing to learn"
                    )
                    refuse("constant_labels", detail, f"y_{split}")
                break
        return MultiLabel(labels=self.names)

    def counts(self, y: Stored) -> tuple[int, ...]:
        return (len(known_rows(y)),)

    def values(self, y: Stored) -> dict[str, Any] | None:
        """`items`: how many have the label, of the 20 commonest."""
        y = known_rows(y)
        if not len(y):
            return None
        items = y.sum(axis=0, dtype=np.int64)
        shown = np.argsort(-items, kind="stable")[:MOST_NAMED]
        return {
            "items": {self.names[k]: int(items[k]) for k in shown},
            "labels_left_off": len(self.names) - len(shown),
            "without_any": int((~y.any(axis=1)).sum()),
            "labels_per_item": float(items.sum() / len(y)),
        }

    def warnings(self, y: Mapping[str, Stored]) -> Sequence[str]:
        found = []
        for split, stored in y.items():
            held = known_rows(stored)
            if not len(held):
                continue
            if count := int((~held.any(axis=1)).sum()):
                found.append(
                    f"{count} of the {len(held)} items of {split} have no label at all: each of "
                    "their labels is taken for absent, not for unknown."
                )
            shares = held.mean(axis=0)
            for share, who in ((0, "no item"), (1, "every item")):
                if columns := [self.names[k] for k in np.flatnonzero(shares == share)]:
                    more = len(columns) - MOST_NAMED
                    named = ", ".join(columns[:MOST_NAMED])
                    named += f" and {more} more" if more > 0 else ""
                    found.append(
                        f"Labels that {who} of {split} has: {named}. "
                        + (
                            "Nothing can be learnt of them."
                            if split == "train"
                            else "How well they are told cannot be measured."
                        )
                    )
        return found

    def codes(self, y: Mapping[str, Stored]) -> Mapping[str, NDArray[np.int32]]:
        rows = np.concatenate([np.packbits(held == 1, axis=1) for held in y.values()])
        _, inverse = np.unique(rows, axis=0, return_inverse=True)
        ends = np.cumsum([len(held) for held in y.values()])[:-1]
        return {
            split: np.where((held == NO_LABEL).all(axis=1), -1, codes).astype(np.int32)
            for (split, held), codes in zip(
                y.items(), np.split(inverse.reshape(-1), ends), strict=True
            )
        }


def known_rows(y: Stored) -> Stored:
    """Rows of items whose labels are known, (k, K)."""
    known: Stored = y[(y != NO_LABEL).all(axis=1)]
    return known


def _columns(labels: Array, array: str) -> int:
    """How many there are. Refuses what is no matrix of numbers with two or more."""
    if labels.ndim != 2 or labels.dtype.kind not in "biuf":
        detail = (
            f"expected a matrix (items, labels) of 0 and 1 in {array}, got {labels.dtype} of the "
            f"shape {labels.shape}; scikit-learn's MultiLabelBinarizer makes one of lists of "
            'labels, and `task`: "classification" in the spec takes one label of each item'
        )
        refuse("shape_mismatch", detail, array)
    columns = int(labels.shape[1])
    if columns < 2:
        detail = (
            f"expected a column for each of 2 labels or more in {array}, got {columns}; whether an "
            'item has one label is a `task`: "classification" of two classes'
        )
        refuse("one_class", detail, array)
    if columns > CLASS_LIMIT:
        detail = f"expected at most {CLASS_LIMIT} labels, got {columns} columns in {array}"
        refuse("too_many_classes", detail, array)
    return columns


def _names(columns: int, class_names: Array | None, array: str) -> tuple[str, ...]:
    if class_names is None:
        return tuple(map(str, range(columns)))
    check_names(class_names)
    if len(class_names) != columns:
        detail = (
            f"expected a name for each of the {columns} columns of {array}, got "
            f"{len(class_names)} class_names"
        )
        refuse("shape_mismatch", detail, "class_names")
    names = tuple(text_of(name, "class_names") for name in class_names)
    check_distinct(names, "class_names")
    return names
