"""Which items of a stored dataset a selection takes, and their labels as an upload would bring
them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, assert_never

import numpy as np
from numpy.typing import NDArray

from app.errors import FailureCode, WorkFailure
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from worker.evaluation.measures import measures_of
from worker.intake.labels import NO_LABEL
from worker.intake.splits import Rows

Array = NDArray[Any]
SHOWN_NAMES = 10


@dataclass(frozen=True)
class Chosen:
    """`rows`: of each split, ascending. `labels`: of these rows, None in a split without. `names`:
    of the classes or labels, by number or column; None of quantities."""

    rows: Mapping[str, Rows]
    labels: Mapping[str, Array | None]
    names: tuple[str, ...] | None

    def drawn(self, task: Task, items: int, seed: int) -> "Chosen":
        """With so many of the training items. Raises WorkFailure where there are fewer, or fewer
        are wanted than there are classes."""
        rows, labels = self.rows["train"], self.labels["train"]
        if len(rows) < items:
            detail = f"expected at most the {len(rows)} training items that are left, got {items}"
            refuse_choice("too_many_rows", detail, "#/rows")
        if labels is None:
            strata = np.zeros(len(rows), np.int64)
        else:
            strata = measures_of(task).strata(labels, seed)
        kept = proportional(strata, items, seed)
        drawn = None if labels is None else labels[kept]
        return Chosen(
            {**self.rows, "train": rows[kept]}, {**self.labels, "train": drawn}, self.names
        )


def refuse_choice(reason: str, detail: str, pointer: str) -> NoReturn:
    """`pointer`: into the body that asked for the dataset."""
    raise WorkFailure(
        FailureCode.DATASET_INVALID, detail, stage="intake", reason=reason, pointer=pointer
    )


def choose(
    task: Task, y: Mapping[str, Array], rows: Mapping[str, Rows], classes: Sequence[str] | None
) -> Chosen:
    """
    Args:
        y: stored labels of each split, (items,) or (items, K).
        rows: of each split, ascending, that are left so far.
        classes: None: all. The order of names stays the task's.
    """
    match task:
        case Classification():
            return _of_classes(task.classes, y, rows, classes)
        case MultiLabel():
            return _with_labels(task.labels, y, rows, classes)
        case Regression():
            held = {split: y[split][rows[split]] for split in y}
            known = {split: None if np.isnan(each).all() else each for split, each in held.items()}
            return Chosen(rows, known, None)
    assert_never(task)


def _of_classes(
    names: tuple[str, ...],
    y: Mapping[str, Array],
    rows: Mapping[str, Rows],
    classes: Sequence[str] | None,
) -> Chosen:
    wanted = set(names if classes is None else classes)
    places = [place for place, name in enumerate(names) if name in wanted]
    kept, labels = dict(rows), {}
    for split, each in rows.items():
        codes = np.asarray(y[split])[each]
        if classes is not None:
            has_it = np.isin(codes, places)
            kept[split], codes = each[has_it], codes[has_it]
        labels[split] = None if (codes == NO_LABEL).all() else np.searchsorted(places, codes)
    return Chosen(kept, labels, tuple(names[place] for place in places))


def _with_labels(
    names: tuple[str, ...],
    y: Mapping[str, Array],
    rows: Mapping[str, Rows],
    classes: Sequence[str] | None,
) -> Chosen:
    wanted = set(names if classes is None else classes)
    columns = [place for place, name in enumerate(names) if name in wanted]
    labels = {}
    for split, each in rows.items():
        held = np.asarray(y[split])[each][:, columns]
        labels[split] = None if (held == NO_LABEL).all() else held
    return Chosen(rows, labels, tuple(names[column] for column in columns))


def check_left(chosen: Chosen, task: Task, pointer: str) -> None:
    """Refuses an empty split, a single class, and classes that only the test split has left."""
    for split, rows in chosen.rows.items():
        if not len(rows):
            detail = f"expected items of the {split} split that are chosen, got none"
            refuse_choice("empty_split", detail, pointer)
    if not isinstance(task, Classification) or chosen.names is None:
        return
    held = {
        split: set(np.unique(labels).tolist())
        for split, labels in chosen.labels.items()
        if labels is not None
    }
    known = held.get("train", held.get("test"))
    if known is None:
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
            f"{named}{more}: choose more rows, or name the other classes in `classes`"
        )
        refuse_choice("unknown_class", detail, pointer)


def proportional(strata: NDArray[np.int64], items: int, seed: int) -> NDArray[np.intp]:
    """Places, ascending, of so many items, each stratum's share of them as near to its share of all
    as whole numbers can be, and at least one of each. Raises WorkFailure for fewer items than
    strata.

    Args:
        strata: (n,), n >= items: the part that each item belongs to.
    """
    _, codes, counts = np.unique(strata, return_inverse=True, return_counts=True)
    if items < len(counts):
        detail = f"expected at least {len(counts)} rows, one of each class, got {items}"
        refuse_choice("too_few_rows", detail, "#/rows")
    shares = counts * (items / len(strata))
    given = np.maximum(np.floor(shares).astype(np.int64), 1)
    while (excess := int(given.sum()) - items) != 0:
        if excess > 0:
            given[np.where(given > 1, given - shares, -np.inf).argmax()] -= 1
        else:
            given[np.where(given < counts, shares - given, -np.inf).argmax()] += 1
    rng = np.random.default_rng(seed)
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    taken = [rng.permutation(each)[:wanted] for each, wanted in zip(members, given, strict=True)]
    return np.sort(np.concatenate(taken))
