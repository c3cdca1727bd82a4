"""Numbers of a multi-label classification."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, logsumexp

from app.spec.report import Detail
from app.tasks.multi_label import MultiLabel, parts_of
from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.measures.average_precision import (
    average_precision,
    average_precision_values,
)
from worker.evaluation.measures.class_detail import per_class
from worker.evaluation.measures.contract import Constant, Labels, Level, Tally, Values
from worker.evaluation.measures.parts import codes_in_order
from worker.evaluation.metrics import ClassCounts, class_rates
from worker.evaluation.statistics import resampled_means

if TYPE_CHECKING:
    from worker.evaluation.evidence import Evidence, Measured

NAMED = 3  # labels of the constant answer


@dataclass(frozen=True)
class LabelsMeasures:
    """Outputs are logits, labels 0 and 1, int32, both (n, K). An item is predicted to have a label
    from a logit of 0 on, a probability of 0.5.

    The means over the labels run over those that some item has: of the others no item can be
    found. A metric over no labels at all is 0.
    """

    task: MultiLabel

    def measure(self, y: Labels, outputs: Floats) -> dict[str, float]:
        """f1_micro, f1_macro, map and loss, each over all n items."""
        if not len(y):
            raise ValueError("metrics: expected at least 1 item, got 0")
        counts = counts_of(y, outputs)
        held = [k for k in range(y.shape[1]) if counts.true[k]]
        precisions = [average_precision(y[:, k], outputs[:, k]) for k in held]
        return {
            **_f1(counts),
            "map": float(np.mean(precisions)) if precisions else 0.0,
            "loss": float(self.item_losses(y, outputs).mean()),
        }

    def averaged(self, outputs: Sequence[Floats]) -> Floats:
        """z = ln p - ln (1 - p), p the mean of the members' scores of a label."""
        stacked = np.stack(outputs).astype(np.float64)
        found: Floats = logsumexp(log_expit(stacked), axis=0) - logsumexp(
            log_expit(-stacked), axis=0
        )
        return found

    def watched(self, y: Labels, outputs: Floats) -> dict[str, float]:
        return self.measure(y, outputs)

    def item_values(self, y: Labels, outputs: Floats, metric: str) -> Values:
        """Values of items. With the hits t_ik of item i and the sum s_ik of whether it has and
        whether it is given label k, means over the items T_k and S_k:

            f1_micro   F + (2 t_i - F s_i) / S,   F = 2T / S, all labels summed
            f1_macro   the mean over the labels of the same, each for itself
            map        the mean over the labels of worker/evaluation/measures/average_precision.py

        Each is the metric and the item's influence on it, as in worker/evaluation/influence.py.
        """
        true = y.astype(np.float64)
        held = np.flatnonzero(true.any(axis=0))
        if metric == "map":
            found = [average_precision_values(y[:, k], outputs[:, k]) for k in held]
            return np.mean(found, axis=0) if found else np.zeros(len(y))
        hits, given = true * (outputs >= 0), true + (outputs >= 0)
        if metric == "f1_micro":
            hits, given = hits.sum(axis=1, keepdims=True), given.sum(axis=1, keepdims=True)
            held = np.flatnonzero(given.any(axis=0))
        elif metric != "f1_macro":
            raise ValueError(f"expected f1_micro, f1_macro or map, got {metric}")
        if not len(held):
            return np.zeros(len(y))
        hits, given = hits[:, held], given[:, held]
        whole = given.mean(axis=0)
        rate = 2 * hits.mean(axis=0) / whole
        values: Values = (rate + (2 * hits - rate * given) / whole).mean(axis=1)
        return values

    def averaged_over(self, y: Labels, metric: str) -> Labels | None:
        return None

    def item_losses(self, y: Labels, outputs: Floats) -> Values:
        """Binary cross entropies, the mean over the labels, nats."""
        z = outputs.astype(np.float64)
        losses: Values = (np.logaddexp(0, z) - y * z).mean(axis=1)
        return losses

    def resample(
        self,
        y: Labels,
        transfer: Sequence[Floats],
        baseline: Sequence[Floats],
        metric: str,
        seed: int,
    ) -> Floats:
        """Resamples to first order: by the items' values, of which the metric is the mean."""
        of_transfer, of_baseline = (
            np.mean([self.item_values(y, each, metric) for each in arm], axis=0)
            for arm in (transfer, baseline)
        )
        return resampled_means(of_transfer - of_baseline, seed)

    def strata(self, y: Labels, seed: int) -> NDArray[np.int64]:
        return rarest_codes(y, seed)

    def answers(self, outputs: Floats) -> Ints | None:
        return None

    def held_against(self, metric: str) -> str:
        return metric

    def level(self, y: Labels, metric: str, width: int | None = None) -> Level:
        """Level of the set of labels that suits these items best: all of them, but for the micro F1
        the commonest. The error is that of the mean of the items' values."""
        return Level.of(self.item_values(y, _always(_best_set(y, metric), y), metric))

    def constant(self, y: Labels, metric: str) -> Constant:
        chosen = _best_set(y, metric)
        scores = self.measure(y, _always(chosen, y))
        names = [name for name, is_in in zip(self.task.labels, chosen, strict=True) if is_in]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        return Constant(
            answer=f"{', '.join(names[:NAMED])}{more}",
            scores={name: scores[name] for name in self.task.primary},
        )

    def detail(
        self,
        arm: "Evidence",
        pair: "tuple[Evidence, Evidence] | None",
        counts: Sequence[int] | None,
        confidence: float,
    ) -> Detail:
        """Rates of each label. How many training items have it is not known: a budget counts
        items."""
        return Detail(per_class=per_class(arm, pair, self.task.labels, None, confidence, _counted))

    @property
    def nothing(self) -> Tally:
        return np.zeros((4, self.task.outputs), np.int64)

    def added(
        self, tally: Tally, y: Labels, known: NDArray[np.bool_], statistics: Floats | Ints
    ) -> Tally:
        """(4, K): items rightly given the label, that have it, that are given it, and all.
        `statistics`: predicted labels, (steps, batch, K)."""
        counts = counts_of(y[known], statistics[known].astype(np.float64) - 0.5)
        items = np.full(y.shape[-1], known.sum())
        added: Tally = tally + np.stack([*counts, items])
        return added

    def items(self, tally: Tally) -> int:
        return int(tally[3, 0])

    def of_epoch(self, tally: Tally, loss: float) -> dict[str, float]:
        hits, true, predicted = tally[:3].astype(np.int64)
        return {"loss": loss, **_f1(ClassCounts(hits, true, predicted))}


def counts_of(y: Labels, outputs: Floats) -> ClassCounts:
    """Items of each label, (K,): rightly given it, that have it, that are given it."""
    true, given = y.astype(np.bool_), outputs >= 0
    return ClassCounts(*(each.sum(axis=0) for each in (true & given, true, given)))


def rarest_codes(y: Labels, seed: int) -> NDArray[np.int64]:
    """The part of each item, (n,): items stand in the order of the rarest label of their set, the
    rarest of all first and those without a label last; of equal ones the seed says which comes
    first. Parts are cut from that order, so that a share of each part has a fair share of each
    label, and its sizes follow from the number of items alone."""
    y = y.astype(np.bool_)
    rank = np.empty(y.shape[1], np.int64)
    rank[np.argsort(y.sum(axis=0), kind="stable")] = np.arange(y.shape[1])
    rarest = np.where(y, rank, y.shape[1]).min(axis=1)
    return codes_in_order(rarest, parts_of(len(y)), seed)


def _counted(trial: "Measured") -> ClassCounts:
    return counts_of(trial.y, trial.logits)


def _f1(counts: ClassCounts) -> dict[str, float]:
    micro = class_rates(*(each.sum() for each in counts))[2]
    held = counts.true > 0
    macro = class_rates(*counts)[2][held]
    return {"f1_micro": float(micro), "f1_macro": float(macro.mean()) if held.any() else 0.0}


def _best_set(y: Labels, metric: str) -> NDArray[np.bool_]:
    """(K,): the labels that, given to every item, are best by a metric: by the micro F1 the m
    commonest, else all of them."""
    if metric != "f1_micro":
        return np.ones(y.shape[1], np.bool_)
    shares = y.mean(axis=0, dtype=np.float64)
    order = np.argsort(-shares, kind="stable")
    f1 = 2 * np.cumsum(shares[order]) / (shares.sum() + np.arange(1, len(shares) + 1))
    chosen = np.zeros(len(shares), np.bool_)
    chosen[order[: int(f1.argmax()) + 1]] = True
    return chosen


def _always(chosen: NDArray[np.bool_], y: Labels) -> NDArray[np.float64]:
    """Outputs that give each item these labels."""
    return np.broadcast_to(np.where(chosen, 1.0, -1.0), y.shape)
