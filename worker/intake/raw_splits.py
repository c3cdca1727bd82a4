"""Splits as they came, and as they become: which items are trained on and which are tested."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import DatasetSpec
from app.datasets.table_spec import SplitSpec
from app.inputs.dense import DenseInputs
from worker.intake.images import laid_out
from worker.intake.label_forms import check_known, flatten
from worker.intake.missing import refuse_missing, without_missing
from worker.intake.raw import Array, RawArrays, refuse
from worker.intake.splits import Rows, random_split
from worker.intake.targets.contract import Stored, TargetContract
from worker.intake.unlabelled import with_unlabelled


@dataclass(frozen=True)
class RawSplit:
    """A split as it came, and which of its items have a label."""

    images: Array
    labels: Array | None  # (rows,) or (rows, K)
    rows: Rows | None  # of the images that have a label, ascending; None: all
    has_missing: bool  # items whose label means none

    def __len__(self) -> int:
        return len(self.images) if self.rows is None else len(self.rows)

    @property
    def unlabelled(self) -> Rows:
        """Rows of items whose label means none, beside others that have one."""
        everything = np.arange(len(self.images), dtype=np.intp)
        return everything[:0] if self.rows is None else np.setdiff1d(everything, self.rows)

    def placed(self, chosen: Rows) -> Rows:
        return chosen if self.rows is None else self.rows[chosen]


@dataclass(frozen=True)
class EncodedSplits:
    """rows: of the images of each split, ascending; None: all. y: their stored labels. left_out:
    items without a label that are in neither split, by the one they came in."""

    rows: dict[str, Rows | None]
    y: dict[str, Stored]
    left_out: dict[str, int]


def encoded_splits(
    given: dict[str, RawSplit], target: TargetContract, raw: RawArrays, spec: DatasetSpec
) -> EncodedSplits:
    """A test split is cut where none came: `given` gets it, of the same images."""
    y = {split: target.encode(each.labels, len(each), split) for split, each in given.items()}
    kept = given["train"].unlabelled[: 0 if spec.unlabelled == "leave_out" else None]
    left_out = {
        split: len(each.unlabelled) - (len(kept) if split == "train" else 0)
        for split, each in given.items()
    }
    rows: dict[str, Rows | None] = {split: each.rows for split, each in given.items()}
    if raw.x_test is None:
        whole = given["test"] = given["train"]
        train_rows, test_rows = _cut(whole, y["train"], target, raw, spec)
        y = {"train": y["train"][train_rows], "test": y["train"][test_rows]}
        rows = {"train": whole.placed(train_rows), "test": whole.placed(test_rows)}
        if raw.beside is not None:
            apart = raw.beside.apart(kept, whole.placed(test_rows))
            left_out["train"] += len(kept) - len(apart)
            kept = apart
    rows["train"], y["train"] = with_unlabelled(rows["train"], y["train"], kept, target)
    return EncodedSplits(rows, y, left_out)


def raw_split_of(
    raw: RawArrays, split: str, modality: type[DenseInputs], spec: DatasetSpec, is_flat: bool
) -> RawSplit:
    """`is_flat`: one label per item; else the target checks the form."""
    images, labels = raw.of(split)
    images = laid_out(images, modality, f"x_{split}")
    rows, has_missing = None, False
    if labels is not None:
        labels = flatten(labels, f"y_{split}") if is_flat else labels
        if len(images) != len(labels):
            detail = (
                f"expected as many labels as images in the {split} split, "
                f"got {len(images)} images and {len(labels)} labels"
            )
            refuse("shape_mismatch", detail, f"y_{split}")
        rows = without_missing(labels, spec.missing_label, f"y_{split}")
        has_missing = rows is not None
        rows = _known(rows, raw.known.get(split))
        if rows is not None and not len(rows):  # not one item has a label: a split without labels
            labels = rows = None
        elif rows is not None:
            labels = labels[rows]
    if labels is not None and is_flat:
        check_known(labels, f"y_{split}")
    if not len(images):
        refuse("empty_split", f"expected items in the {split} split, got none", f"x_{split}")
    return RawSplit(images, labels, rows, has_missing)


def _known(rows: Rows | None, known: NDArray[np.bool] | None) -> Rows | None:
    """The items among `rows` that are known to have a label; None: all."""
    if known is None or known.all():
        return rows
    there = np.flatnonzero(known)
    return there if rows is None else np.intersect1d(rows, there)


def _cut(
    whole: RawSplit, y: Stored, target: TargetContract, raw: RawArrays, spec: DatasetSpec
) -> tuple[Rows, Rows]:
    """Places among the labelled items for training and for testing; among all without labels."""
    split = spec.split or SplitSpec()
    fraction = split.test_fraction or spec.test_fraction
    if raw.beside is not None and raw.beside.cut.groups is not None:
        places = np.arange(len(whole))
        groups = raw.beside.cut.groups[whole.placed(places)]
        cut = replace(raw.beside.cut, groups=groups)
        return cut.rows(target, y, whole.labels is not None, places)
    if whole.labels is None:
        return random_split(len(whole), fraction, split.seed)
    return target.cut(y, fraction, split.seed)


def doubt(texts: Sequence[str], given: Mapping[str, RawSplit]) -> None:
    """Refuses labels of the split that the classes come from, where they may mean none."""
    for split, each in given.items():
        if each.labels is not None:
            refuse_missing(texts, each.labels, f"y_{split}")
            return


def check_alike(train: Array, test: Array) -> None:
    if train.shape[1:] != test.shape[1:]:
        detail = (
            f"expected images of the shape {train.shape[1:]} in x_test as in x_train, "
            f"got {test.shape[1:]}"
        )
        refuse("shape_mismatch", detail, "x_test")
