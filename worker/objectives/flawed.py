"""Objectives for flawed data: a task's objective, wrapped as the job asks."""

from collections.abc import Sequence
from typing import assert_never

from app.spec.flaws import Imbalance, LabelNoise
from app.tasks import Task
from worker.objectives import objective_of
from worker.objectives.class_weights import ClassWeighted
from worker.objectives.contract import Objective
from worker.objectives.focal import Focal
from worker.objectives.generalized_cross_entropy import GeneralizedCrossEntropy
from worker.objectives.logit_adjustment import LogitAdjusted


def training_objective(
    task: Task, imbalance: Imbalance, label_noise: LabelNoise, counts: Sequence[int]
) -> Objective:
    """The task's own objective where both are `none` or the labels alone are cleaned.

    Args:
        counts: labelled training items of each class, (K,).
    """
    objective = objective_of(task)
    match label_noise:
        case "gce":
            objective = GeneralizedCrossEntropy(objective)
        case "none" | "drop_suspects":
            pass
        case _:
            assert_never(label_noise)
    match imbalance:
        case "none":
            return objective
        case "logit_adjustment":
            return LogitAdjusted.of(objective, counts)
        case "class_weights":
            return ClassWeighted.of(objective, counts)
        case "focal":
            return Focal(objective)
    assert_never(imbalance)
