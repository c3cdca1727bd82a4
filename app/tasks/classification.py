"""One class of several for each item."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.tasks.contract import AnswerForm, Budget, Metric, TaskContract

# From here a classifier that always answers the commonest class looks good by accuracy.
IMBALANCED_FROM, MAJORITY_FROM = 10.0, 0.8  # commonest over rarest class; share of the commonest
MOST_RANKED = 1000  # classes: of more, `auc` and `average_precision` are not measured
RANKED = ("auc", "average_precision")


class Classification(TaskContract):
    kind: Literal["classification"] = "classification"
    classes: tuple[str, ...] = Field(
        description="the labels, in the order of the outputs; a dataset's are the test split's "
        "where training has none, empty where no split has any"
    )

    metrics: ClassVar[Mapping[str, Metric]] = {
        "accuracy": Metric("accuracy"),
        "balanced_accuracy": Metric("balanced accuracy"),
        "f1_macro": Metric("F1, mean over the classes"),
        "precision_macro": Metric("precision, mean over the classes"),
        "recall_macro": Metric("recall, mean over the classes"),
        "auc": Metric("area under the ROC curve"),
        "average_precision": Metric("average precision"),
        "loss": Metric("cross entropy", higher_is_better=False, bounds=(0.0, None)),
        "ece": Metric("expected calibration error", higher_is_better=False),
    }
    default_metric: ClassVar[str] = "accuracy"
    primary: ClassVar[tuple[str, ...]] = (
        "accuracy",
        "f1_macro",
        "balanced_accuracy",
        "auc",
        "average_precision",
    )
    per_epoch: ClassVar[tuple[str, ...]] = ("loss", "accuracy", "f1_macro")
    has_classes: ClassVar[bool] = True
    unit: ClassVar[str] = ""
    std: ClassVar[float] = 1.0
    answers: ClassVar[str] = "probabilities"
    form: ClassVar[AnswerForm] = "label"
    budget: ClassVar[Budget] = "labels_per_class"

    @property
    def outputs(self) -> int:
        return len(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        return self.classes

    def named(self, names: tuple[str, ...]) -> Self:
        return self.model_copy(update={"classes": names})

    @property
    def answer_kinds(self) -> tuple[str, ...]:
        return self.classes

    def kinds_of(self, answers: NDArray[np.float32]) -> NDArray[np.int64]:
        kinds: NDArray[np.int64] = answers.argmax(axis=1)
        return kinds

    @staticmethod
    def placed(y: NDArray[Any], own: Sequence[str], wanted: Sequence[str]) -> NDArray[Any]:
        where = {name: place for place, name in enumerate(wanted)}
        placed: NDArray[Any] = np.array([where[name] for name in own], np.int32)[y]
        return placed

    @staticmethod
    def strata(counts: Iterable[int], budget: int | None) -> tuple[int, ...]:
        """The classes: one that is rarer than the budget gives all it has."""
        return tuple(count if budget is None else min(count, budget) for count in counts)


def is_imbalanced(counts: Iterable[int]) -> bool:
    """Tells whether accuracy misleads about items of which so many are of each class; those without
    any do not count."""
    present = [int(count) for count in counts if count > 0]
    if len(present) < 2:
        return False
    most = max(present)
    return most >= IMBALANCED_FROM * min(present) or most >= MAJORITY_FROM * sum(present)
