"""Steps and epochs that trials were trained for, from the epochs that are recorded of them."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from app.datasets.schemas import Schema
from app.spec.plan import hides_labels, training_items
from app.spec.spec import ResolvedSpec
from app.tables.jobs import TrialRow

HEAD_PHASE = "head"  # trained on a frozen backbone's features
ROLES_OF_ARMS = ("baseline", "bound", "transfer")


class Steps(TypedDict):
    """Optimizer steps: of the whole network, and of a head alone."""

    steps: int
    head_steps: int


def steps_taken(
    spec: ResolvedSpec,
    target: Schema,
    trials: Sequence[TrialRow],
    epochs: Mapping[str, Mapping[str, int]],
) -> dict[str, Steps]:
    """Counts the steps by trial, of those that belong to arms.

    Args:
        target: the schema of the target's dataset.
        epochs: trial -> phase -> epochs trained.
    """
    found: dict[str, Steps] = {}
    for trial in trials:
        if trial.role not in ROLES_OF_ARMS:
            continue
        phases = epochs.get(trial.id, {})
        head = phases.get(HEAD_PHASE, 0)
        whole = sum(phases.values()) - head
        of_epoch = spec.training.steps_per_epoch(_items(spec, target, trial))
        found[trial.id] = Steps(steps=whole * of_epoch, head_steps=head * of_epoch)
    return found


def _items(spec: ResolvedSpec, target: Schema, trial: TrialRow) -> int:
    """That an epoch passes over: without those held out for validation, which are cut at random
    where labels are hidden."""
    fraction, hidden = spec.training.validation_fraction, hides_labels(spec, trial.role)
    return training_items(target, trial.labels_per_class, fraction, hidden)
