"""Numbers of a classification."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from app.spec.report import Detail
from app.tasks.classification import RANKED, Classification, is_imbalanced
from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.influence import item_values
from worker.evaluation.measures.class_detail import class_detail
from worker.evaluation.measures.class_ranks import area_level, rank_metrics, rank_values
from worker.evaluation.measures.contract import Constant, Labels, Level, Tally, Values
from worker.evaluation.metrics import (
    ClassCounts,
    classification_metrics,
    metrics_from_counts,
    rates_from_counts,
)
from worker.evaluation.statistics import bootstrap_gains, resampled_means

if TYPE_CHECKING:
    from worker.evaluation.evidence import Evidence

SCORED = ("accuracy", "balanced_accuracy", "f1_macro")  # of the constant answer
UNEQUAL_FROM = 1.5  # times that the commonest class outnumbers the rarest that has items


@dataclass(frozen=True)
class ClassMeasures:
    """Outputs are logits, labels classes, int32."""

    task: Classification

    @property
    def classes(self) -> int:
        return self.task.outputs

    def measure(self, y: Labels, outputs: Floats) -> dict[str, float]:
        return classification_metrics(y, outputs) | rank_metrics(y, outputs)

    def averaged(self, outputs: Sequence[Floats]) -> Floats:
        """z = ln (mean of softmax(z_m)), of which the softmax is that mean."""
        logs = [log_softmax(each.astype(np.float64), axis=1) for each in outputs]
        found: Floats = logsumexp(logs, axis=0) - np.log(len(logs))
        return found

    def watched(self, y: Labels, outputs: Floats) -> dict[str, float]:
        """Computes the metrics without those that sort the items once per class."""
        return classification_metrics(y, outputs)

    def item_values(self, y: Labels, outputs: Floats, metric: str) -> Values:
        if metric in RANKED:
            return rank_values(y, outputs, metric)
        return item_values(y, outputs.argmax(axis=1), outputs.shape[1], metric)

    def averaged_over(self, y: Labels, metric: str) -> Labels | None:
        return y if metric in ("balanced_accuracy", *RANKED) else None

    def item_losses(self, y: Labels, outputs: Floats) -> Values:
        """Cross-entropies, nats."""
        log_p = log_softmax(outputs.astype(np.float64), axis=1)
        losses: Values = -log_p[np.arange(len(y)), y]
        return losses

    def resample(
        self,
        y: Labels,
        transfer: Sequence[Floats],
        baseline: Sequence[Floats],
        metric: str,
        seed: int,
    ) -> Floats:
        """Replicates of `auc` and `average_precision` to first order, by the items' values."""
        if metric in RANKED:
            arms = (
                np.mean([rank_values(y, each, metric) for each in arm], axis=0)
                for arm in (transfer, baseline)
            )
            return resampled_means(np.subtract(*arms), seed)
        of_transfer, of_baseline = (
            np.stack([each.argmax(axis=1) for each in arm]) for arm in (transfer, baseline)
        )
        classes = transfer[0].shape[1]
        return bootstrap_gains(y, of_transfer, of_baseline, classes, metric, seed)

    def strata(self, y: Labels, seed: int) -> NDArray[np.int64]:
        return y.astype(np.int64)

    def answers(self, outputs: Floats) -> Ints:
        answers: Ints = outputs.argmax(axis=1)
        return answers

    def level(self, y: Labels, metric: str, width: int | None = None) -> Level:
        if metric in RANKED:
            return area_level(y, width or self.classes)
        return level_of(y, width or self.classes, metric)

    def held_against(self, metric: str) -> str:
        """Accuracy, or balanced accuracy: the macro F1 of guessing is not 1 / K. An order of the
        items is held against one at random by the AUC, which knows that one's error."""
        if metric in RANKED:
            return "auc"
        return "accuracy" if metric == "accuracy" else "balanced_accuracy"

    def constant(self, y: Labels, metric: str) -> Constant:
        """The commonest class."""
        counts = np.bincount(y, minlength=self.classes)
        commonest, present = int(counts.argmax()), counts[counts > 0]
        answers = np.full(len(y), commonest)
        rates = rates_from_counts(*ClassCounts.of(y, answers, self.classes))
        alike = np.zeros((len(y), self.classes))
        return Constant(
            answer=self.task.classes[commonest],
            scores={name: float(rates[name]) for name in SCORED} | rank_metrics(y, alike),
            guessing=1 / self.classes,
            is_unequal=bool(present.max() >= UNEQUAL_FROM * present.min()),
            is_imbalanced=is_imbalanced(counts),
        )

    def detail(
        self,
        arm: "Evidence",
        pair: "tuple[Evidence, Evidence] | None",
        counts: Sequence[int] | None,
        confidence: float,
    ) -> Detail:
        return class_detail(arm, pair, self.task.classes, counts, confidence)

    @property
    def nothing(self) -> Tally:
        return np.zeros((3, self.classes), np.int64)

    def added(
        self, tally: Tally, y: Labels, known: NDArray[np.bool_], statistics: Floats | Ints
    ) -> Tally:
        """(3, K): items rightly predicted, of the class, predicted as it. `statistics`: predicted
        classes, (steps, batch, 1)."""
        new = ClassCounts.of(y[known], _predicted(statistics)[known], self.classes)
        added: Tally = tally + np.stack(new)
        return added

    def items(self, tally: Tally) -> int:
        return int(_counts(tally).true.sum())

    def of_epoch(self, tally: Tally, loss: float) -> dict[str, float]:
        items = self.items(tally)
        return metrics_from_counts(_counts(tally), loss * items, items)


def level_of(y: Ints, classes: int, metric: str = "accuracy") -> Level:
    """The better of guessing and always answering the commonest class, with the standard error

        √(Σ_k w_k² r (1 - r) / n_k)

    of a metric Σ_k w_k recall_k over n_k items of class k, where each is right with probability r:
    w_k = n_k / n for accuracy (the normal approximation of the binomial test), 1 / (classes with
    items) for balanced accuracy.

    Args:
        y: labels, (n,), n > 0.
        metric: `accuracy`; with any other it is that of balanced accuracy.
    """
    counts = np.bincount(y, minlength=classes)
    present = counts[counts > 0]
    if metric == "accuracy":
        weights = present / present.sum()
        score = max(1 / classes, float(weights.max()))
    else:
        weights = np.full(len(present), 1 / len(present))
        score = 1 / len(present)
    return Level(score, sqrt(float((weights**2 / present).sum()) * score * (1 - score)))


def _counts(tally: Tally) -> ClassCounts:
    hits, true, predicted = tally.astype(np.int64)
    return ClassCounts(hits, true, predicted)


def _predicted(statistics: Floats | Ints) -> Ints:
    return cast(Ints, statistics[..., 0])
