"""The contract of measures, what is measured of a task: numbers alone, by numpy. app/tasks says how
each is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from app.spec.report import Detail
from app.tasks import Task
from worker.evaluation.arrays import Floats, Ints

if TYPE_CHECKING:
    from worker.evaluation.evidence import Evidence

SURE = 1.645  # standard errors: one-sided, 95 %

Labels = NDArray[Any]  # (n,): classes, int32, or quantities, float32
Values = NDArray[np.float64]  # (n,)
Tally = NDArray[np.int64] | NDArray[np.float64]
Standing = Literal["below", "at", "above"]


@dataclass(frozen=True)
class Level:
    """Score of an answer that looks at no item, and the standard error over so many items."""

    score: float
    error: float
    sign: int = 1  # -1 where lower is better

    @classmethod
    def of(cls, values: Values, sign: int = 1) -> "Level":
        """The mean of the items' values, and its standard error."""
        error = float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0
        return cls(float(values.mean()), error, sign)

    def standing(self, value: float) -> Standing:
        """Tells whether a value is better (`above`), worse, or neither by more than noise."""
        low, high = self.score - SURE * self.error, self.score + SURE * self.error
        if low <= value <= high:
            return "at"
        return "above" if (value > high) == (self.sign > 0) else "below"


@dataclass(frozen=True)
class Constant:
    """The answer that is the same for every item and suits these items best.

    `scores`: by metric. `guessing`: what an answer drawn at random scores. `is_unequal`: whether
    the classes have so unequal numbers of items that accuracy needs balanced accuracy beside it;
    `is_imbalanced`: that accuracy misleads.
    """

    answer: str
    scores: dict[str, float]
    guessing: float | None = None
    is_unequal: bool = False
    is_imbalanced: bool = False


class Measures(Protocol):
    """Labels are (n,) and outputs (n, K), a network's before any activation."""

    @property
    def task(self) -> Task: ...

    def measure(self, y: Labels, outputs: Floats) -> dict[str, float]:
        """Every metric of the task, each over all n items. Raises ValueError where n is 0."""

    def averaged(self, outputs: Sequence[Floats]) -> Floats:
        """Outputs of an ensemble, (n, K), of its members': those whose answers are the mean of
        the members' answers."""

    def watched(self, y: Labels, outputs: Floats) -> dict[str, float]:
        """The task's `per_epoch` metrics at least, as `measure` has them: what an epoch costs."""

    def item_values(self, y: Labels, outputs: Floats, metric: str) -> Values:
        """One value an item, (n,), whose mean is the metric: its own value, or the metric plus the
        item's influence on it. Raises ValueError for a metric that is not primary."""

    def averaged_over(self, y: Labels, metric: str) -> Labels | None:
        """Classes of the items, (n,), where the items' values lie around their class's mean; else
        None."""

    def item_losses(self, y: Labels, outputs: Floats) -> Values:
        """(n,), whose mean is the loss."""

    def resample(
        self,
        y: Labels,
        transfer: Sequence[Floats],
        baseline: Sequence[Floats],
        metric: str,
        seed: int,
    ) -> Floats:
        """The metric of `transfer` minus that of `baseline`, each the mean over its seeds, on test
        items drawn anew with replacement, the same for both: (resamples,)."""

    def strata(self, y: Labels, seed: int) -> NDArray[np.int64]:
        """The part that each item belongs to, (n,), so that a share of each part is a fair share
        of all; sizes as app.tasks says. `seed` breaks ties."""

    def answers(self, outputs: Floats) -> Ints | None:
        """(n,), which are right where they equal the label; None where no answer is."""

    def level(self, y: Labels, metric: str, width: int | None = None) -> Level:
        """Score of an answer that looks at no item by `held_against(metric)`. `width`: of the
        outputs, where they are a source's."""

    def held_against(self, metric: str) -> str:
        """The metric that says whether an arm is better than an answer that looks at no item."""

    def constant(self, y: Labels, metric: str) -> Constant:
        """Constant answer that suits n > 0 items best, by `metric` where they differ."""

    def detail(
        self,
        arm: "Evidence",
        pair: "tuple[Evidence, Evidence] | None",
        counts: Sequence[int] | None,
        confidence: float,
    ) -> Detail:
        """Returns what the report says of an arm that only this task has.

        Args:
            pair: the arm and the baseline with the seeds that they share.
            counts: labelled training items of each of the task's names; None where hidden.
        """

    @property
    def nothing(self) -> Tally:
        """An epoch's running sums before its first step."""

    def added(
        self, tally: Tally, y: Labels, known: NDArray[np.bool_], statistics: Floats | Ints
    ) -> Tally:
        """The sums after more steps: however these are cut into calls, with the same bits.

        Args:
            y, known: labels, (steps, batch), and whether they are any.
            statistics: of worker.objectives, (steps, batch, k).
        """

    def items(self, tally: Tally) -> int:
        """Counts how many items with labels went into it."""

    def of_epoch(self, tally: Tally, loss: float) -> dict[str, float]:
        """Metrics of an epoch, `loss` the mean over its items."""
