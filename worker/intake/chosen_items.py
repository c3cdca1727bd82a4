"""Items of a stored dataset that a selection takes, and their labels as an upload would bring
them. Items are numbered through: those of the training split, then those of the test split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn, assert_never

import numpy as np
from numpy.typing import NDArray

from app.errors import FailureCode, WorkFailure
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from worker.evaluation.measures import measures_of
from worker.intake.labels import NAN, NO_LABEL
from worker.intake.splits import Rows

Array = NDArray[Any]
SHOWN_NAMES = 10


@dataclass(frozen=True)
class ChosenItems:
    """Items of each split, ascending, and the labels that they have.

    y: of all items of the origin, (items,) or (items, K), as stored, but for classes: these count
        by `names`.
    names: of the classes or labels, by number or column; None of quantities.
    """

    rows: Mapping[str, Rows]
    y: Array
    names: tuple[str, ...] | None

    def labels(self, split: str) -> Array | None:
        """Labels of a split; None in one without."""
        held = self.y[self.rows[split]]
        return None if self._is_none(held).all() else held

    @property
    def missing_label(self) -> int | str | None:
        """Value that stands for no label among the others of a split; None where all its items have
        one, or none has."""
        for split in self.rows:
            held = self.labels(split)
            if held is not None and self._is_none(held).any():
                return NAN if self.names is None else NO_LABEL
        return None

    def has_label(self, split: str) -> NDArray[np.bool_]:
        """Tells which items of a split have a label; all of one without any, as none is missing."""
        is_none = self._is_none(self.y[self.rows[split]])
        held = np.asarray(~(is_none if is_none.ndim == 1 else is_none.all(axis=1)))
        return held if held.any() else np.ones_like(held)

    def _is_none(self, labels: Array) -> NDArray[np.bool_]:
        return np.isnan(labels) if self.names is None else labels == NO_LABEL

    def drawn(self, split: str, task: Task, items: int, seed: int) -> "ChosenItems":
        """Draws so many of the split's items. Raises WorkFailure where there are fewer, or fewer
        are wanted than there are classes."""
        rows = self.rows[split]
        if len(rows) < items:
            detail = f"expected at most the {len(rows)} items that are left, got {items}"
            refuse_choice("too_many_rows", detail, "#/rows")
        kept = proportional(self._strata(split, task, seed, items), items, seed)
        return replace(self, rows={**self.rows, split: rows[kept]})

    def pooled(self) -> "ChosenItems":
        """All items as one split, `train`."""
        return replace(self, rows={"train": np.concatenate([*self.rows.values()])})

    def cut(self, task: Task, fraction: float, seed: int) -> "ChosenItems":
        """Pooled items as a training and a test split, each stratum's share in both; those without
        a label beside labelled ones are for training."""
        has_label = self.has_label("train")
        labelled = replace(self, rows={"train": self.rows["train"][has_label]})
        strata = labelled._strata("train", task, seed)
        rows = labelled.rows["train"]
        kinds, counts = np.unique(strata, return_counts=True)
        if counts.min() < 2:
            what = "2 items" if len(kinds) == 1 else "2 items of each class"
            detail = f"expected at least {what}, one for each split, got {counts.min()}"
            refuse_choice("empty_split", detail, "#/split")
        items = max(len(kinds), min(round(fraction * len(rows)), len(rows) - len(kinds)))
        in_test = np.zeros(len(rows), np.bool)
        in_test[proportional(strata, items, seed, spare=1)] = True
        test = rows[in_test]
        train: Rows = np.setdiff1d(self.rows["train"], test)
        return replace(self, rows={"train": train, "test": test})

    def _strata(
        self, split: str, task: Task, seed: int, most: int | None = None
    ) -> NDArray[np.int64]:
        """The part that each item belongs to; -1 of those without a label. Parts that are no
        classes are joined with their neighbours where there are more than `most`."""
        rows, has_label = self.rows[split], self.has_label(split)
        strata = np.full(len(rows), NO_LABEL, np.int64)
        if self.labels(split) is not None:
            strata[has_label] = measures_of(task).strata(self.y[rows][has_label], seed)
        if most is not None and not task.has_classes and strata.max() >= 0:
            left = max(1, most - int(not has_label.all()))
            parts = int(strata.max()) + 1
            strata = np.where(strata >= 0, strata * min(parts, left) // parts, NO_LABEL)
        return strata


def refuse_choice(reason: str, detail: str, pointer: str) -> NoReturn:
    """`pointer`: into the body that asked for the dataset."""
    raise WorkFailure(
        FailureCode.DATASET_INVALID, detail, stage="intake", reason=reason, pointer=pointer
    )


def choose(
    task: Task, y: Array, rows: Mapping[str, Rows], classes: Sequence[str] | None
) -> ChosenItems:
    """
    Args:
        y: stored labels of all items.
        rows: items of each split, ascending, that are left so far.
        classes: None: all. The order of names stays the task's.
    """
    match task:
        case Classification():
            return _of_classes(task.classes, y, rows, classes)
        case MultiLabel():
            columns = _places(task.labels, classes)
            return ChosenItems(
                rows, y[:, columns], tuple(task.labels[column] for column in columns)
            )
        case Regression():
            return ChosenItems(rows, y, None)
    assert_never(task)


def _of_classes(
    names: tuple[str, ...], y: Array, rows: Mapping[str, Rows], classes: Sequence[str] | None
) -> ChosenItems:
    places = _places(names, classes)
    codes = np.full(len(names) + 1, NO_LABEL)  # the last is that of NO_LABEL
    codes[places] = np.arange(len(places))
    new = codes[y]
    if classes is not None:
        rows = {split: each[new[each] != NO_LABEL] for split, each in rows.items()}
    return ChosenItems(rows, new, tuple(names[place] for place in places))


def _places(names: Sequence[str], wanted: Sequence[str] | None) -> list[int]:
    kept = set(names if wanted is None else wanted)
    return [place for place, name in enumerate(names) if name in kept]


def check_left(chosen: ChosenItems, pointer: str) -> None:
    """Refuses an empty split, a single class, and classes that only the test split has left."""
    for split, rows in chosen.rows.items():
        if not len(rows):
            detail = f"expected items of the {split} split that are chosen, got none"
            refuse_choice("empty_split", detail, pointer)
    labels = {split: chosen.labels(split) for split in chosen.rows}
    held = {
        split: set(np.unique(each).tolist()) - {NO_LABEL}
        for split, each in labels.items()
        if each is not None and each.ndim == 1
    }
    known = held.get("train", held.get("test"))
    if known is None or chosen.names is None:
        return
    if len(known) < 2:
        only = chosen.names[min(known)]
        detail = f"expected items of at least 2 classes, got those of `{only}` alone"
        refuse_choice("one_class", detail, pointer)
    if strange := sorted(held.get("test", known) - known):
        named = ", ".join(f"`{chosen.names[code]}`" for code in strange[:SHOWN_NAMES])
        more = f" and {len(strange) - SHOWN_NAMES} more" if len(strange) > SHOWN_NAMES else ""
        detail = (
            "expected training items of each class that test items have, got none of "
            f"{named}{more}: choose more rows, name the other classes in `classes`, or have the "
            'rows split anew with `split`: {"test_fraction": 0.2}'
        )
        refuse_choice("unknown_class", detail, pointer)


def proportional(
    strata: NDArray[np.int64], items: int, seed: int, spare: int = 0
) -> NDArray[np.intp]:
    """Places, ascending, of so many items, each stratum's share of them as near to its share of all
    as whole numbers can be, and at least one of each. Raises WorkFailure for fewer items than
    strata.

    Args:
        strata: (n,), n >= items: the part that each item belongs to.
        spare: items of each stratum that are left at least.
    """
    _, codes, counts = np.unique(strata, return_inverse=True, return_counts=True)
    if items < len(counts):
        detail = f"expected at least {len(counts)} rows, one of each class, got {items}"
        refuse_choice("too_few_rows", detail, "#/rows")
    shares = counts * (items / len(strata))
    given = np.clip(np.floor(shares).astype(np.int64), 1, counts - spare)
    while (excess := int(given.sum()) - items) != 0:
        if excess > 0:
            given[np.where(given > 1, given - shares, -np.inf).argmax()] -= 1
        else:
            given[np.where(given < counts - spare, shares - given, -np.inf).argmax()] += 1
    rng = np.random.default_rng(seed)
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    taken = [rng.permutation(each)[:wanted] for each, wanted in zip(members, given, strict=True)]
    return np.sort(np.concatenate(taken))
