"""Arms and references on some of the test items, such as those with one value of a column."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from app.spec.intervals import Gain
from app.spec.spec import ResolvedSpec
from worker.evaluation.evidence import Evidence
from worker.evaluation.gains import gain_over, gains_over_baseline, paired
from worker.evaluation.measures.contract import Labels

ITEM_MEANS = frozenset({"accuracy", "mae", "rmse", "loss", "ece"})  # told of labels all alike too

Rows = NDArray[np.bool_]  # (n,), which of the test items
Arms = Mapping[str, Evidence]


@dataclass(frozen=True, eq=False)
class SliceGroup:
    """The items of a value, or of several that are rare; `arms` and `references`: as measured on
    them; `gains`: of arms over the baseline, and of the winner over references."""

    value: str
    rows: Rows
    arms: Arms
    references: Arms
    gains: Mapping[str, Gain]

    @property
    def names(self) -> tuple[str, ...]:
        return *self.arms, *self.references

    @property
    def items(self) -> int:
        return int(self.rows.sum())


@dataclass(frozen=True, eq=False)
class MeasuredArms:
    """Arms at the job's own label budget, all on the same test items."""

    arms: Arms
    references: Arms
    winner: str | None
    spec: ResolvedSpec

    def group(self, value: str, rows: Rows) -> SliceGroup:
        arms, references = (
            {name: restricted(evidence, rows) for name, evidence in held.items()}
            for held in (self.arms, self.references)
        )
        gains: dict[str, Gain] = {}
        if has_metric(arms, self.spec.evaluation.primary_metric):
            gains |= gains_over_baseline(arms, self.spec)
            winner = arms.get(self.winner or "")
            for name, evidence in references.items():
                pair = paired(winner, evidence) if winner else None
                if pair and pair[0].trials:
                    gains[name] = gain_over(*pair, self.spec)
        return SliceGroup(value, rows, arms, references, gains)


def restricted(evidence: Evidence, rows: Rows) -> Evidence:
    """An arm measured on some of the test items. Metrics that these do not have are left out."""
    trials = []
    for trial in evidence.trials:
        y, logits = trial.y[rows], trial.logits[rows]
        found = evidence.measures.measure(y, logits)
        kept = {
            name: value
            for name, value in found.items()
            if isfinite(value) and (name in ITEM_MEANS or not _are_alike(y))
        }
        groups = None if trial.groups is None else trial.groups[rows]
        trials.append(replace(trial, y=y, logits=logits, test=kept, groups=groups))
    return Evidence(tuple(trials), evidence.replicates, evidence.measures)


def _are_alike(y: Labels) -> bool:
    return bool((y == y[0]).all())


def has_metric(arms: Arms, metric: str) -> bool:
    return all(metric in trial.test for arm in arms.values() for trial in arm.trials)
