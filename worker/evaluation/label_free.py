"""Choosing among adapted networks without any label of the target.

I(p, p') = sum_kl P_kl ln(P_kl / (P_k P_l)), nats; P = mean_i p_i p'_i^T, made symmetric

over the target's validation items, p_i: probabilities of item i, p'_i: of the same item, moved,
turned, zoomed, in another light and with a square wiped out; P_k: a row's sum. It is high where a
network is sure of each item, finds all classes, and says the same of what shows the same (Ji,
Henriques & Vedaldi, "Invariant information clustering", ICCV 2019, arXiv:1807.06653, equations 2
and 3). Being sure is what many strategies train for, right or wrong; what is wrong changes with the
image. The oracle, which looks at the test's labels, stands apart in the report and chooses nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from app.spec.report import LabelFreeChoice
from app.spec.spec import ResolvedSpec
from worker.evaluation.arms import metric_interval
from worker.evaluation.arrays import Floats
from worker.evaluation.evidence import Evidence, TrialResult, starts_of
from worker.evaluation.intervals import interval
from worker.evaluation.replication import replicates_of
from worker.evaluation.statistics import POSITIVE

RULE = "invariant_information"


def item_information(logits: Floats, changed: Floats) -> NDArray[np.float64]:
    """Each item's part of I: (n,), nats; their mean is I.

    Args:
        logits, changed: of the items and of the changed items, (n, classes), n >= 1.
    """
    p, q = (softmax(each.astype(np.float64), axis=1) for each in (logits, changed))
    joint = p.T @ q / len(p)
    joint = np.maximum((joint + joint.T) / 2, np.finfo(np.float64).tiny)
    alone = np.log(joint.sum(axis=0))
    ratios = np.log(joint) - alone[:, None] - alone[None, :]
    return np.asarray(((p @ ratios) * q).sum(axis=1), np.float64)


def information(logits: Floats, changed: Floats) -> float:
    """I, from 0 to ln(classes); logits as in item_information."""
    return float(item_information(logits, changed).mean())


@dataclass(frozen=True)
class TrialScores:
    """I of one trial. `start`, `logits`: of its network, by which copies are told."""

    seed: int
    value: float
    start: str | None
    logits: Floats


def scores_of(spec: ResolvedSpec, trials: Sequence[TrialResult]) -> dict[str, list[TrialScores]]:
    """Scores of each arm, by seed, the transfer trials that have predicted validation items."""
    found: dict[str, list[TrialScores]] = {arm: [] for arm in spec.arms}
    starts = starts_of(trials)
    for trial in sorted(trials, key=lambda trial: trial.seed):
        logits, changed = trial.logits_validation, trial.logits_changed
        if trial.arm not in found or trial.error or logits is None or changed is None:
            continue
        if len(logits):
            outputs = logits if trial.logits_test is None else trial.logits_test
            value = information(logits, changed)
            found[trial.arm].append(TrialScores(trial.seed, value, starts[trial], outputs))
    return {arm: scored for arm, scored in found.items() if scored}


def choose(
    scores: Mapping[str, Sequence[TrialScores]], arms: Mapping[str, Evidence], spec: ResolvedSpec
) -> LabelFreeChoice | None:
    """An arm that lost seeds is not ranked beside whole ones.

    Args:
        scores: of scores_of.
        arms: measured on test items, where these have labels.
    """
    most = max(map(len, scores.values()), default=0)
    whole = {
        arm: replicates_of([(each,) for each in found]).means([each.value for each in found])
        for arm, found in scores.items()
        if len(found) == most
    }
    if not whole:
        return None
    chosen = max(whole, key=lambda arm: float(np.mean(whole[arm])))
    metric, confidence = spec.evaluation.primary_metric, spec.evaluation.confidence
    measured = {arm: float(np.mean(arms[arm].test(metric))) for arm in whole if arm in arms}
    oracle = spec.metric.best(measured)
    known = oracle is not None and chosen in measured
    return LabelFreeChoice(
        rule=RULE,
        scores={arm: interval(values, confidence, POSITIVE) for arm, values in whole.items()},
        chosen=chosen,
        chosen_seed=max(scores[chosen], key=lambda each: each.value).seed,
        oracle=oracle,
        oracle_metric=metric_interval(arms[oracle], metric, confidence) if oracle else None,
        regret=spec.metric.sign * (measured[oracle] - measured[chosen])
        if oracle and known
        else None,
    )
