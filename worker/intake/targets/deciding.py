"""Decision on the task that an upload's labels are for: what the spec says, else what the labels
look like.

A matrix of 0 and 1 is several labels of each item. Text is classes. Numbers with fractions are
quantities. Whole numbers are classes, unless there are more than 100 different ones with gaps
between them: classes are counted through, as 0 to 9, prices are not. The decision stands in the
dataset's profile with its reason, and the spec's `task` changes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.tasks import TaskKind
from worker.intake.raw import Array

MANY = 100  # different whole numbers: fewer are classes
GAPS = 2.0  # times that the range outnumbers the different whole numbers in it
SAID_FROM = 50  # different whole numbers, from which a user is warned that they became classes


@dataclass(frozen=True)
class Decision:
    """`is_doubtful`: a user may well have meant the other task."""

    kind: TaskKind
    reason: str
    is_said: bool = False
    is_doubtful: bool = False

    @property
    def warning(self) -> str | None:
        if self.is_said or not self.is_doubtful:
            return None
        what, other, others = (
            ("classes", "regression", "quantities")
            if self.kind == "classification"
            else ("quantities", "classification", "classes")
        )
        return (
            f"The labels are taken for {what} ({self.kind}), for {self.reason}; `task`: "
            f'"{other}" in the spec takes them for {others}.'
        )


def decide(
    said: TaskKind | None, labels: Mapping[str, Array | None], has_names: bool = False
) -> Decision:
    """
    Args:
        said: by the spec.
        labels: by split, (items,) or a matrix of 0 and 1; None for a split without.
        has_names: whether the upload names classes.
    """
    if said:
        return Decision(said, "the spec says so", is_said=True)
    held = next((each for each in labels.values() if each is not None), None)
    if held is None:
        return Decision("classification", "no split has labels")
    if held.ndim == 2:
        return Decision(
            "multi_label",
            f"labels are a matrix of 0 and 1 with {held.shape[1]} columns, whose rows do not all "
            "hold exactly one 1",
        )
    if has_names:
        return Decision("classification", "the upload names its classes")
    if held.dtype.kind not in "iuf":
        return Decision("classification", "labels are text, or true and false")
    return _of_numbers(held)


def _of_numbers(held: Array) -> Decision:
    if held.dtype.kind == "f":
        fractions = np.isfinite(held) & (held != np.rint(held))
        if count := int(fractions.sum()):
            first = held[fractions][0]
            reason = f"{count} of {len(held)} labels are no whole numbers, as {first:g}"
            return Decision("regression", reason, is_doubtful=True)
    values = np.unique(held)
    low, high = float(values[0]), float(values[-1])
    told = f"labels are whole numbers, {len(values)} different ones from {low:.10g} to {high:.10g}"
    if len(values) > MANY and high - low + 1 > GAPS * len(values):
        return Decision("regression", f"{told}, with gaps between them", is_doubtful=True)
    return Decision("classification", told, is_doubtful=len(values) >= SAID_FROM)
