"""Scores of each part of items alone, and what an arm's networks lose without it."""

from collections.abc import Mapping

import numpy as np

from app.spec.intervals import Interval
from app.spec.parts_report import ArmParts, PartFigures
from app.spec.spec import ResolvedSpec
from worker.evaluation.arrays import Floats
from worker.evaluation.evidence import Evidence, Measured
from worker.evaluation.gains import improvement
from worker.evaluation.intervals import interval


def parts_of(arms: Mapping[str, Evidence], spec: ResolvedSpec) -> dict[str, ArmParts]:
    """Measures each arm whose trials have all asked it; none where items are one part."""
    found = {}
    for name, evidence in arms.items():
        if all(trial.result.part_names is not None for trial in evidence.trials):
            found[name] = _of_arm(name, evidence, spec)
    return found


def _of_arm(arm: str, evidence: Evidence, spec: ResolvedSpec) -> ArmParts:
    metric, of = spec.evaluation.primary_metric, spec.metric
    names = [str(name) for name in _names(evidence.trials[0])]
    whole = evidence.test(metric)

    def told(values: list[float]) -> Interval:
        items = len(evidence.y) if of.is_rate else None
        return interval(values, spec.evaluation.confidence, of.within, items)

    parts = {}
    for place, name in enumerate(names):
        alone = _measured(evidence, metric, "logits_alone", place)
        without = _measured(evidence, metric, "logits_without", place)
        lost = improvement(whole, without, of)
        missing = evidence.trials[0].result.parts_missing
        parts[name] = PartFigures(
            missing=int(missing[place]) if missing is not None else 0,
            alone=told(alone),
            without=told(without),
            lost=interval(lost, spec.evaluation.confidence, of.change),
        )
    return ArmParts(whole=told(whole), parts=parts, sentence=_sentence(arm, parts, spec))


def _sentence(arm: str, parts: Mapping[str, PartFigures], spec: ResolvedSpec) -> str:
    best = max(parts, key=lambda name: parts[name].lost.mean)
    lost = parts[best].lost
    idle = [name for name, each in parts.items() if each.lost.mean <= 0]
    said = (
        f"{arm} loses most without `{best}`: {spec.metric.shown(lost.mean)} of "
        f"{spec.evaluation.primary_metric}"
        if lost.mean > 0
        else f"{arm} loses nothing without any one of its parts"
    )
    if idle and lost.mean > 0:
        listed = ", ".join(f"`{name}`" for name in idle)
        said += f"; without {listed} it is no worse"
    return f"{said}."


def _names(trial: Measured) -> list[str]:
    names = trial.result.part_names
    assert names is not None
    return [str(name) for name in names]


def _measured(evidence: Evidence, metric: str, array: str, place: int) -> list[float]:
    """One value per replicate, of outputs with a part alone, or without it."""
    values = []
    for trial in evidence.trials:
        outputs: Floats = np.asarray(getattr(trial.result, array))[place]
        values.append(evidence.measures.measure(trial.y, outputs)[metric])
    return [float(value) for value in evidence.replicates.means(values)]
