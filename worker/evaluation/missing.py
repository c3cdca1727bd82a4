"""Planned trials without results."""

from collections import defaultdict
from collections.abc import Sequence

from app.spec.figures import Missing
from app.spec.spec import ResolvedSpec
from worker.evaluation.evidence import TrialResult


def failure_code(trial: TrialResult) -> str | None:
    """Returns None where the trial did not fail."""
    return None if trial.error is None else str(trial.error["code"])


def missing_of(spec: ResolvedSpec, trials: Sequence[TrialResult]) -> list[Missing]:
    """Trials that are missing by label budget, then by arm: pretrainings, scratch, the others as in
    the spec."""
    seeds: dict[tuple[int | None, str, str], list[int]] = defaultdict(list)
    for trial in trials:
        if code := failure_code(trial):
            seeds[trial.labels_per_class, trial.arm, code].append(trial.seed)
    arms = [*spec.compared, *spec.arms, *spec.references]

    def place(key: tuple[int | None, str, str]) -> tuple[bool, int, int, str]:
        budget, arm, code = key
        known = arm in arms
        return (
            known,
            spec.budgets.index(budget) if known else 0,
            arms.index(arm) if known else 0,
            code,
        )

    return [
        Missing(arm=arm, labels_per_class=budget, seeds=sorted(found), code=code)
        for (budget, arm, code), found in sorted(seeds.items(), key=lambda item: place(item[0]))
    ]
