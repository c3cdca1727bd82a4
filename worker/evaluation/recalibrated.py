"""What labels buy where nothing of the source's network moves but a slope and a few biases."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.spec.intervals import Gain
from app.spec.source_report import Recalibrated
from app.spec.spec import ResolvedSpec
from app.tasks import Task
from worker.evaluation.evidence import Evidence
from worker.evaluation.gains import gain_over


def recalibrated(
    found: Mapping[int | None, Mapping[str, Evidence]],
    spec: ResolvedSpec,
    task: Task,
    counts: Sequence[int],
) -> list[Recalibrated]:
    """Holds arms against the source's network as it came, budget by budget, where all their trials
    have its outputs.

    Args:
        found: the arms' evidence by label budget.
        counts: labelled items of each of the task's names in the target's training split.
    """
    return [
        _of_arm(name, evidence, spec, budget, sum(task.strata(counts, budget)))
        for budget, arms in found.items()
        for name, evidence in arms.items()
        if all(trial.result.logits_unmoved is not None for trial in evidence.trials)
    ]


def _of_arm(
    arm: str, evidence: Evidence, spec: ResolvedSpec, budget: int | None, labels: int
) -> Recalibrated:
    as_it_came = Evidence(
        tuple(
            replace(trial, logits=outputs, test=evidence.measures.measure(trial.y, outputs))
            for trial in evidence.trials
            if (outputs := trial.result.logits_unmoved) is not None
        ),
        evidence.replicates,
        evidence.measures,
    )
    metric, of = spec.evaluation.primary_metric, spec.metric
    gain = gain_over(evidence, as_it_came, spec)
    before, after = (float(np.mean(each.test(metric))) for each in (as_it_came, evidence))
    sentence = (
        f"{arm}: {labels} labels, with nothing of the source's network moved but a slope and a "
        f"bias per class, take {metric} from {of.shown(before)} to {of.shown(after)}, {_said(gain)}"
    )
    return Recalibrated(
        arm=arm,
        labels_per_class=budget,
        labels=labels,
        before=before,
        after=after,
        gain=gain,
        sentence=sentence,
    )


def _said(gain: Gain) -> str:
    said = f"{gain.mean:+.4f}"
    if gain.overall is None:
        return said
    said += f" [{gain.overall.low:+.4f}, {gain.overall.high:+.4f}]"
    return said if gain.overall.low > 0 or gain.overall.high < 0 else f"{said}: 0 is not ruled out"
