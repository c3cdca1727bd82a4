"""The winner beside models that need no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum

import numpy as np

from app.spec.intervals import Gain
from app.spec.reference_report import BestReference, ReferenceArm
from app.spec.references import NETWORK, REFERENCE_MODELS
from app.spec.spec import ResolvedSpec
from worker.evaluation.arms import metric_interval
from worker.evaluation.calibration import FEWEST_VALIDATION_ITEMS
from worker.evaluation.evidence import Evidence, TrialResult, gather
from worker.evaluation.gains import corrected, gain_over, paired
from worker.evaluation.intervals import interval
from worker.evaluation.measures.contract import Measures

ROWS = {
    "target": "the target's rows alone",
    "source": "the source's rows alone",
    "both": "the source's and the target's rows",
}


@dataclass(frozen=True)
class References:
    """`gains`: the arms' over the baseline, corrected together with the winner's over these."""

    arms: dict[str, ReferenceArm] = field(default_factory=dict)
    best: BestReference | None = None
    gains: Mapping[str, Gain] = field(default_factory=dict)


def references_of(
    spec: ResolvedSpec,
    trials: Sequence[TrialResult],
    winner: tuple[str, Evidence] | None,
    gains: Mapping[str, Gain],
    measures: Measures,
) -> References:
    """References at the job's own label budget.

    Args:
        winner: its name and what is known of it.
        gains: of the arms over the baseline.
    """
    own = spec.target.budget
    found = gather(trials, tuple(spec.references), own, measures)
    if not found:
        return References(gains=gains)
    pairs = {name: paired(winner[1], each) for name, each in found.items()} if winner else {}
    over = {name: gain_over(*pair, spec) for name, pair in pairs.items() if pair[0].trials}
    together = corrected({**gains, **over})
    confidence, metric = spec.evaluation.confidence, spec.evaluation.primary_metric
    arms = {}
    for name, evidence in found.items():
        held_out = evidence.validation(metric)
        arms[name] = ReferenceArm(
            metrics={
                each: metric_interval(evidence, each, confidence)
                for each in evidence.trials[0].test
            },
            validation=interval(held_out, confidence, spec.metric.within) if held_out else None,
            gain=together.get(name) if name in over else None,
            seconds=fsum(trial.seconds for trial in trials if trial.is_arm(name, own)),
        )
    best = _best(spec, found, winner[0], arms) if winner else None
    return References(arms, best, {name: together[name] for name in gains})


def _best(
    spec: ResolvedSpec,
    found: Mapping[str, Evidence],
    winner: str,
    arms: Mapping[str, ReferenceArm],
) -> BestReference:
    name = spec.evaluation.primary_metric
    validation = {each: evidence.validation(name) for each, evidence in found.items()}
    is_enough = all(
        validation[each] is not None and evidence.validation_items >= FEWEST_VALIDATION_ITEMS
        for each, evidence in found.items()
    )
    values = {
        each: float(np.mean((validation[each] if is_enough else None) or evidence.test(name)))
        for each, evidence in found.items()
    }
    best = max(values, key=lambda each: spec.metric.sign * values[each])
    gain = arms[best].gain
    beats = gain is not None and gain.overall is not None and gain.overall.high < 0
    if gain and gain.p_holm is not None and not is_enough:  # the test items chose it among all
        beats = beats and gain.p_holm <= 1 - spec.evaluation.confidence
    return BestReference(
        name=best,
        chosen_by="validation" if is_enough else "test",
        beats_winner=beats,
        sentence=_sentence(spec, winner, best, gain, beats),
    )


def _sentence(spec: ResolvedSpec, winner: str, best: str, gain: Gain | None, beats: bool) -> str:
    reference = spec.references[best]
    called = f"{best} ({REFERENCE_MODELS[reference.model]}, on {ROWS[reference.rows]})"
    has_network = any(each.model == NETWORK for each in spec.references.values())
    without = "without the job's network" if has_network else "without a network"
    if gain is None:
        return f"{called} is the best model {without}; no seed of it pairs with {winner}"
    name, metric = spec.evaluation.primary_metric, spec.metric
    amount = f"{metric.shown(abs(gain.mean))} {name}"
    bounds = gain.overall or gain.bootstrap
    within = (
        f"{100 * spec.evaluation.confidence:g} % interval of {winner}'s gain over it "
        f"[{metric.shown(bounds.low, signed=True)}, {metric.shown(bounds.high, signed=True)}]"
    )
    if beats:
        return f"A model {without} is better: {called} beats {winner} by {amount}, {within}"
    if gain.overall and gain.overall.low > 0:
        return f"{winner} beats the best model {without}, {called}, by {amount}, {within}"
    lies = f"lies {'above' if gain.mean > 0 else 'below'} by {amount}"
    if metric.shown(abs(gain.mean)) == metric.shown(0.0):
        lies = f"has the same {name}"
    said = (
        f"{winner} is not shown to be better than the best model {without}, {called}: it {lies}, "
        f"{within}"
    )
    if gain.is_shown:
        said += (
            f", p (Holm) {gain.p_holm:.2g}: it was chosen by the test items, which may flatter it"
        )
    return said
