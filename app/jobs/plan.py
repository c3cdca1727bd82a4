"""JobSpec -> trials and their dependencies. Pure."""

from dataclasses import dataclass
from typing import Literal

from app.jobs.spec import ResolvedSpec
from app.jobs.strategies import BASELINE

Role = Literal["pretrain", "baseline", "transfer"]
PRETRAIN = "pretrain"


@dataclass(frozen=True)
class PlannedTrial:
    role: Role
    arm: str
    seed: int
    labels_per_class: int | None
    depends_on: int | None  # position in the plan


def plan(spec: ResolvedSpec) -> list[PlannedTrial]:
    """The source is pretrained on once; every arm runs with every seed."""
    trials = [PlannedTrial("pretrain", PRETRAIN, spec.seed, None, None)]
    budget = spec.target.labels_per_class
    for seed in range(spec.seed, spec.seed + spec.evaluation.seeds):
        if spec.evaluation.baseline:
            trials.append(PlannedTrial("baseline", BASELINE, seed, budget, None))
        trials += [PlannedTrial("transfer", arm, seed, budget, 0) for arm in spec.arms]
    return trials
