"""Doubts that take a verdict away or weaken it, in sentences for the report's reason."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.jobs.schemas import EvidenceDataset
from app.plurals import counted
from app.spec.figures import Reference
from app.spec.frozen_photos import weights_seen
from app.spec.intervals import Gain
from app.spec.references import NETWORK
from app.spec.spec import ResolvedSpec
from app.spec.strategies import SUPERVISED
from app.tasks.classification import RANKED
from worker.evaluation.chance import mean_of
from worker.evaluation.dataset_warnings import known_items
from worker.evaluation.evidence import Evidence, TrialResult
from worker.evaluation.source_overlap import overlap_doubts
from worker.evaluation.training_fit import Fit, by_heart, fit_of, pretrainings_of, torn


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
    shared = overlap_doubts(spec, winner, datasets, trials)
    for kept, more in zip((any_verdict, positive, beside), shared, strict=True):
        kept.extend(more)
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
        beside += filter(None, [torn(name, _fit(arms[name]))])
        beside += filter(None, [by_heart(name, arms[name])])
    beside += _on_encoder(spec, gain)
    if reference.is_unequal and spec.evaluation.primary_metric == "accuracy":
        beside.append(_balanced(shown, arms, reference))
    return Doubts(tuple(any_verdict), tuple(positive), tuple(beside))


def _on_encoder(spec: ResolvedSpec, gain: Gain | None) -> list[str]:
    """What the gain is of, where the baseline has the arms' encoder too."""
    encoder, given = spec.model.encoder, spec.model.begins_as
    if gain is None or not spec.target.use_labels:
        return []
    if given:
        said = f"{spec.baseline_arm} begins with the weights of {given}, as every arm: the gain is "
        return [f"{said}what the sources bring beside them, not what these weights bring"]
    if photos := weights_seen(spec.inputs):
        said = f"{spec.baseline_arm} sees pictures through the same frozen network, {photos}, as "
        said += "every arm: the gain is what the sources bring beside it, not what it brings"
        return [said]
    if encoder is None:
        return []
    said = f"{spec.baseline_arm} stands on the same frozen encoder, {encoder.name}, as every arm: "
    said += "the gain is what the sources bring beside it, not what the encoder brings"
    own = [name for name, each in spec.references.items() if each.model == NETWORK]
    if own:
        return [f"{said}, for which {own[0]} stands"]
    return [f'{said}; `evaluation.references`: ["linear", "{NETWORK}"] sets a network without it '
            "beside"]  # fmt: skip


def _standings(
    names: Sequence[str], arms: Mapping[str, Evidence], reference: Reference, spec: ResolvedSpec
) -> list[str]:
    """A sentence for each way in which arms are no better than chance."""
    primary, first = spec.evaluation.primary_metric, arms[names[0]]
    metric = first.measures.held_against(primary)
    constant, guesses = f"always answering {reference.majority_class}", spec.has_classes
    level = first.measures.level(first.y, primary)
    of = first.measures.task.metrics[metric]
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for name in names:
        mean = mean_of(arms[name], primary)
        if of.sign * mean < of.sign * reference.chance and level.standing(mean) == "below":
            said = "below chance" if guesses else f"worse than {constant}"
        elif not guesses or (metric == "accuracy" and reference.is_unequal):
            said = f"no better than {constant}"
        else:
            said = "not above chance"
        if of.sign * mean > of.sign * level.score:
            said += f" by more than the noise of {counted(len(first.y), 'test item')}"
        found[said][name] = mean
    guessing = f"guessing has {of.shown(reference.chance)}, " if guesses else ""
    return [
        f"{' and '.join(means)} {'is' if len(means) == 1 else 'are'} {said} "
        f"({metric.replace('_', ' ')} {' and '.join(map(of.shown, means.values()))}; "
        f"{guessing}{constant} {of.shown(reference.majority[metric])})"
        for said, means in found.items()
    ]


def _far_below_bound(
    winner: str, arms: Mapping[str, Evidence], reference: Reference, spec: ResolvedSpec
) -> list[str]:
    """Doubts a winner that has made less than half of the way from chance to the bound."""
    metric = spec.evaluation.primary_metric
    if winner not in reference.far_below_bound:
        return []
    reached, bound = (float(np.mean(arms[name].test(metric))) for name in (winner, SUPERVISED))
    chance = reference.majority[metric] if metric in RANKED else reference.chance
    return [
        f"{winner} is far below {SUPERVISED}: {metric.replace('_', ' ')} "
        f"{spec.metric.shown(reached)} against {spec.metric.shown(bound)}, less than half of the "
        f"way from chance ({spec.metric.shown(chance)})"
    ]


def _lag(
    baseline: str,
    arms: Mapping[str, Evidence],
    trials: Sequence[TrialResult],
    gain: Gain | None,
) -> str | None:
    """Doubts a gain that is no larger than what stale BatchNorm statistics take from the
    baseline."""
    if baseline not in arms or gain is None:
        return None
    own = _fit(arms[baseline])
    before = fit_of(pretrainings_of(trials, baseline), arms[baseline].measures)
    lag = max((fit.lag for fit in (own, before) if fit and fit.is_torn), default=0.0)
    if not 0 < gain.mean <= lag:
        return None
    return (
        f"{baseline} loses {lag:.4f} accuracy between training mode and inference on its training "
        "items, as much as the gain or more: stale BatchNorm statistics alone may explain it"
    )


def _fit(evidence: Evidence) -> Fit | None:
    return fit_of([each.result for each in evidence.trials], evidence.measures)


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
