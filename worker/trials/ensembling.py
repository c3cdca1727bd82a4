"""The seeds of an arm as one model: their networks, and the temperature of their mean.

Each seed holds out items of its own, which the others have learnt, and what a network has learnt
it is too sure of. So an item's scores are averaged over those members alone that have not learnt
it, and the temperature is fitted on items of which there are many such members: the mean of few is
surer of itself than the mean of all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.models.schemas import FittedTemperature
from app.storage import Storage
from worker.backbones.network import Network
from worker.evaluation.arrays import Floats
from worker.evaluation.calibration import FEWEST_VALIDATION_ITEMS, fit_temperature
from worker.evaluation.measures import measures_of
from worker.packaging.temperature import temperature_of
from worker.training.data import Labels, cut_validation
from worker.training.items import Indices
from worker.training.label_budget import within_budget
from worker.training.predict import outputs_of
from worker.trials.trial_data import TrialData

Averaged = Callable[[Sequence[Floats]], Floats]

MOST_ITEMS = 20_000
ENOUGH_ITEMS = 100  # to leave out those that fewer members can judge


@dataclass(frozen=True)
class AveragedTemperature:
    """`judged_by`: so many members at least have not learnt each item that it was fitted on."""

    fitted: FittedTemperature
    judged_by: int = 0


@dataclass(frozen=True, eq=False)
class Judged:
    """Held-out items: labels (n,), and whether each member has not learnt them (members, n) and
    what it answers to those (members, n, K)."""

    y: Labels
    unseen: NDArray[np.bool_]
    outputs: Floats


def temperature_of_members(
    storage: Storage, members: Sequence[TrialData], networks: Sequence[Network]
) -> AveragedTemperature:
    """The temperature of the mean of what `networks`, of the trials `members`, answer."""
    task = members[0].target_schema.task
    if not task.has_classes or members[0].hides_labels:
        return AveragedTemperature(temperature_of({}, [], task))
    return fitted_on(_judged(storage, members, networks), measures_of(task).averaged)


def _judged(storage: Storage, members: Sequence[TrialData], networks: Sequence[Network]) -> Judged:
    split = members[0].target_split(storage, "train")
    parted = [rows_of(storage, each) for each in members]
    rows = np.unique(np.concatenate([held_out for _, held_out in parted]))
    if len(rows) > MOST_ITEMS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_ITEMS, replace=False))
    unseen = np.stack([~np.isin(rows, learnt) for learnt, _ in parted])
    outputs = np.zeros((*unseen.shape, networks[0].architecture.outputs), np.float32)
    for of_member, network, asked in zip(outputs, networks, unseen, strict=True):
        of_member[asked] = outputs_of(network, split.items.select(rows[asked]))
    return Judged(split.y[rows], unseen, outputs)


def rows_of(storage: Storage, data: TrialData) -> tuple[Indices, Indices]:
    """(learnt, held out): rows of the target's training split whose labels the trial has seen."""
    schema, split = data.target_schema, data.target_split(storage, "train")
    seed = data.trial.seed
    seen = within_budget(schema, split, data.trial.labels_per_class, seed)
    strata = measures_of(schema.task).strata(split.y[seen], seed)
    groups = None if split.groups is None else split.groups[seen]
    kept, held_out = cut_validation(strata, data.spec.training.validation_fraction, seed, groups)
    return seen[kept], seen[held_out]


def fitted_on(judged: Judged, averaged: Averaged) -> AveragedTemperature:
    """Fits the temperature where there are 20 items or more."""
    members = judged.unseen.sum(axis=0)
    least = max(
        (m for m in range(1, len(judged.unseen) + 1) if (members >= m).sum() >= ENOUGH_ITEMS),
        default=1,
    )
    rows = np.flatnonzero(members >= least)
    if len(rows) < FEWEST_VALIDATION_ITEMS:
        few = FEWEST_VALIDATION_ITEMS
        reason = f"fewer than {few} validation items over all seeds: {len(rows)}"
        return AveragedTemperature(FittedTemperature(items=len(rows), reason=reason))
    unseen, outputs = judged.unseen[:, rows], judged.outputs[:, rows]
    logits = np.empty(outputs.shape[1:], np.float64)
    for pattern in np.unique(unseen, axis=1).T:  # items that the same members judge
        alike = (unseen == pattern[:, None]).all(axis=0)
        logits[alike] = averaged(list(outputs[pattern][:, alike]))
    found = FittedTemperature(
        temperature=fit_temperature(judged.y[rows], logits), items=len(rows), seeds=len(unseen)
    )
    return AveragedTemperature(found, least)
