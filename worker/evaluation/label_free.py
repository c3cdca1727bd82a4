"""Choosing among adapted networks without any label of the target.

IM(p) = H(mean_i p_i) - mean_i H(p_i), in nats

over the target's validation items: high where a network is sure of each item and yet finds all
classes (Bridle et al., "Unsupervised classifiers, mutual information and 'phantom targets'", NIPS
1991; Shi & Sha, ICML 2012). The oracle, which looks at the test's labels, stands apart in the
report and chooses nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from app.jobs.report import Interval, LabelFreeChoice
from app.jobs.spec import ResolvedSpec
from worker.evaluation.arms import interval
from worker.evaluation.arrays import Floats
from worker.evaluation.evidence import Evidence, TrialResult

RULE = "information_maximisation"


def item_information(logits: Floats) -> NDArray[np.float64]:
    """KL(p_i || mean_j p_j) of logits (n, classes), n >= 1: (n,), nats; their mean is IM."""
    log_p = log_softmax(logits.astype(np.float64), axis=1)
    p = np.exp(log_p)
    log_mean = np.log(np.maximum(p.mean(axis=0), np.finfo(np.float64).tiny))
    return np.asarray((p * (log_p - log_mean)).sum(axis=1), np.float64)


def information(logits: Floats) -> float:
    """logits (n, classes), n >= 1 -> IM, 0..ln(classes)."""
    return float(item_information(logits).mean())


def scores_of(spec: ResolvedSpec, trials: Sequence[TrialResult]) -> dict[str, dict[int, float]]:
    """Arm -> seed -> IM, of the transfer trials that have predicted validation items."""
    found: dict[str, dict[int, float]] = {arm: {} for arm in spec.arms}
    for trial in sorted(trials, key=lambda trial: trial.seed):
        logits = trial.logits_validation
        if trial.arm in found and trial.error is None and logits is not None and len(logits):
            found[trial.arm][trial.seed] = information(logits)
    return {arm: by_seed for arm, by_seed in found.items() if by_seed}


def choose(
    scores: Mapping[str, Mapping[int, float]], arms: Mapping[str, Evidence], spec: ResolvedSpec
) -> LabelFreeChoice | None:
    """An arm that lost seeds is not ranked beside whole ones.

    Args:
        scores: of scores_of.
        arms: measured on test items, where these have labels.
    """
    most = max(map(len, scores.values()), default=0)
    whole = {arm: list(found.values()) for arm, found in scores.items() if len(found) == most}
    if not whole:
        return None
    chosen = max(whole, key=lambda arm: float(np.mean(whole[arm])))
    metric, confidence = spec.evaluation.primary_metric, spec.evaluation.confidence
    measured = {arm: float(np.mean(arms[arm].test(metric))) for arm in whole if arm in arms}
    oracle = max(measured, key=lambda arm: measured[arm], default=None)
    known = oracle is not None and chosen in measured
    return LabelFreeChoice(
        rule=RULE,
        scores={arm: interval(values, confidence) for arm, values in whole.items()},
        chosen=chosen,
        chosen_seed=max(scores[chosen], key=lambda seed: scores[chosen][seed]),
        oracle=oracle,
        oracle_metric=_mean(arms, oracle, metric, confidence) if oracle else None,
        regret=measured[oracle] - measured[chosen] if oracle and known else None,
    )


def _mean(arms: Mapping[str, Evidence], arm: str, metric: str, confidence: float) -> Interval:
    return interval(arms[arm].test(metric), confidence)
