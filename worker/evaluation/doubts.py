"""What takes a verdict away, and what weakens it, in sentences for the report's reason."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.jobs.schemas import EvidenceDataset
from app.spec.figures import Reference
from app.spec.report import Gain
from app.spec.spec import ResolvedSpec
from app.spec.strategies import SUPERVISED
from worker.evaluation.chance import judged_by, level_of, mean_of
from worker.evaluation.dataset_warnings import known_items
from worker.evaluation.evidence import Evidence, TrialResult
from worker.evaluation.training_fit import by_heart, fit_of, pretrainings_of, torn


@dataclass(frozen=True)
class Doubts:
    """Sentences.

    `any_verdict`: there is no evidence, whatever the gain. `positive`: a gain is no evidence that
    the transfer helped. `beside`: to be known with the verdict.
    """

    any_verdict: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def doubts_about(
    spec: ResolvedSpec,
    winner: str,
    arms: Mapping[str, Evidence],
    gain: Gain | None,
    reference: Reference,
    datasets: Sequence[EvidenceDataset],
    trials: Sequence[TrialResult],
) -> Doubts:
    """
    Args:
        arms: measured at the job's label budget, the winner among them.
        gain: the winner's over the baseline.
    """
    baseline = spec.baseline_arm
    any_verdict: list[str] = []
    positive: list[str] = []
    beside: list[str] = []
    if known := known_items(datasets, len(arms[winner].y)):
        said, proves_nothing = known
        (any_verdict if proves_nothing else beside).append(said)
    no_better = [name for name in (winner, baseline) if name in reference.not_above]
    standing = _standings(no_better, arms, reference, spec) if no_better else []
    far_below = _far_below_bound(winner, arms, reference, spec)
    if {winner, baseline} <= set(no_better):
        any_verdict += [*standing, *far_below]
    elif winner in no_better or (no_better and far_below):
        positive += [*standing, *far_below]
    else:
        beside += [*standing, *far_below]
    if lag := _lag(baseline, arms, trials, gain):
        positive.append(lag)
    shown = [name for name in (winner, baseline) if name in arms]
    for name in shown:
        beside += filter(None, [torn(name, fit_of([t.result for t in arms[name].trials]))])
        beside += filter(None, [by_heart(name, arms[name])])
    if reference.is_unequal and spec.evaluation.primary_metric == "accuracy":
        beside.append(_balanced(shown, arms, reference))
    return Doubts(tuple(any_verdict), tuple(positive), tuple(beside))


def _standings(
    names: Sequence[str], arms: Mapping[str, Evidence], reference: Reference, spec: ResolvedSpec
) -> list[str]:
    """A sentence for each way in which arms are no better than chance."""
    primary, classes = spec.evaluation.primary_metric, arms[names[0]].classes
    metric = judged_by(primary)
    constant = f"always answering {reference.majority_class}"
    level = level_of(arms[names[0]].y, classes, metric)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for name in names:
        mean = mean_of(arms[name], primary)
        if mean < reference.chance and level.standing(mean) == "below":
            said = "below chance"
        elif metric == "accuracy" and reference.is_unequal:
            said = f"no better than {constant}"
        else:
            said = "not above chance"
        found[said][name] = mean
    return [
        f"{' and '.join(means)} {'is' if len(means) == 1 else 'are'} {said} "
        f"({metric.replace('_', ' ')} {' and '.join(f'{mean:.4f}' for mean in means.values())}; "
        f"guessing has {reference.chance:.4f}, {constant} {reference.majority[metric]:.4f})"
        for said, means in found.items()
    ]


def _far_below_bound(
    winner: str, arms: Mapping[str, Evidence], reference: Reference, spec: ResolvedSpec
) -> list[str]:
    """Where the winner has made less than half of the way from chance to the bound."""
    metric = spec.evaluation.primary_metric
    if winner not in reference.far_below_bound:
        return []
    reached, bound = (float(np.mean(arms[name].test(metric))) for name in (winner, SUPERVISED))
    return [
        f"{winner} is far below {SUPERVISED}: {metric.replace('_', ' ')} {reached:.4f} against "
        f"{bound:.4f}, less than half of the way from chance ({reference.chance:.4f})"
    ]


def _lag(
    baseline: str,
    arms: Mapping[str, Evidence],
    trials: Sequence[TrialResult],
    gain: Gain | None,
) -> str | None:
    """Where the gain is no larger than what stale BatchNorm statistics take from the baseline."""
    if baseline not in arms or gain is None:
        return None
    own = fit_of([each.result for each in arms[baseline].trials])
    before = fit_of(pretrainings_of(trials, baseline))
    lag = max((fit.lag for fit in (own, before) if fit and fit.is_torn), default=0.0)
    if not 0 < gain.mean <= lag:
        return None
    return (
        f"{baseline} loses {lag:.4f} accuracy between training mode and inference on its training "
        "items, as much as the gain or more: stale BatchNorm statistics alone may explain it"
    )


def _balanced(names: Sequence[str], arms: Mapping[str, Evidence], reference: Reference) -> str:
    told = ", ".join(
        f"{name} {np.mean(arms[name].test('balanced_accuracy')):.4f} "
        f"(accuracy {np.mean(arms[name].test('accuracy')):.4f})"
        for name in names
    )
    balanced, accuracy = (reference.majority[name] for name in ("balanced_accuracy", "accuracy"))
    return (
        f"The test set's classes are unequal; balanced accuracy: {told}; always answering "
        f"{reference.majority_class} has {balanced:.4f} (accuracy {accuracy:.4f})"
    )
