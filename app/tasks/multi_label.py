"""Any number of labels for each item, none too."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.tasks.contract import AnswerForm, Budget, Metric, TaskContract
from app.tasks.shares import budgeted, equal_shares

PARTS, FEWEST_IN_PART = 100, 10  # of items in the order of their rarest labels
NO_LABEL = "(no label)"
THRESHOLD = 0.5  # of a probability, from which an item has the label


class MultiLabel(TaskContract):
    kind: Literal["multi_label"] = "multi_label"
    labels: tuple[str, ...] = Field(description="in the order of the outputs")

    metrics: ClassVar[Mapping[str, Metric]] = {
        "f1_micro": Metric("F1 of all labels together"),
        "f1_macro": Metric("F1, mean over the labels"),
        "map": Metric("mean average precision"),
        "loss": Metric("binary cross entropy, mean over the labels", False, (0.0, None)),
    }
    default_metric: ClassVar[str] = "f1_micro"
    primary: ClassVar[tuple[str, ...]] = ("f1_micro", "f1_macro", "map")
    per_epoch: ClassVar[tuple[str, ...]] = ("loss", "f1_micro", "f1_macro")
    has_classes: ClassVar[bool] = False
    unit: ClassVar[str] = ""
    std: ClassVar[float] = 1.0
    answers: ClassVar[str] = "probabilities"
    form: ClassVar[AnswerForm] = "labels"
    budget: ClassVar[Budget] = "labels"

    @property
    def outputs(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        return self.labels

    def named(self, names: tuple[str, ...]) -> Self:
        return self.model_copy(update={"labels": names})

    @property
    def answer_kinds(self) -> tuple[str, ...]:
        """The labels, by which of them is the likeliest; last, that an item has none."""
        return (*self.labels, NO_LABEL)

    def kinds_of(self, answers: NDArray[np.float32]) -> NDArray[np.int64]:
        return np.where(answers.max(axis=1) < THRESHOLD, self.outputs, answers.argmax(axis=1))

    @staticmethod
    def placed(y: NDArray[Any], own: Sequence[str], wanted: Sequence[str]) -> NDArray[Any]:
        return y[:, [own.index(name) for name in wanted]]

    @staticmethod
    def strata(counts: Iterable[int], budget: int | None) -> tuple[int, ...]:
        """Parts of equally many items, which differ by one at most, in the order of the items'
        rarest labels: up to 100, of 10 items or more. A budget is of all items together."""
        return parts_of(budgeted(counts, budget))


def parts_of(items: int) -> tuple[int, ...]:
    """Sizes of the parts of `items` items."""
    return equal_shares(items, PARTS, FEWEST_IN_PART)
