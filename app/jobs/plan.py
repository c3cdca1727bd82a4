"""JobSpec -> trials and their dependencies. Pure."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

from app.datasets.schemas import Schema
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

    def steps(self, spec: ResolvedSpec, source: Schema, target: Schema) -> int:
        """Optimizer steps, at most: phases that stop at convergence take fewer."""
        training, budget = spec.training, self.labels_per_class
        if self.role == "pretrain":
            items, epochs = source.splits["train"], training.pretrain_epochs or training.epochs
        else:
            items = budget * len(target.classes) if budget else target.splits["train"]
            epochs = training.epochs
            if self.role == "transfer":
                epochs = spec.arms[self.arm].epochs(training.epochs)
        return epochs * ceil(items * (1 - training.validation_fraction) / training.batch_size)


def plan(spec: ResolvedSpec) -> list[PlannedTrial]:
    """The source is pretrained on once; every arm runs with every seed."""
    trials = [PlannedTrial("pretrain", PRETRAIN, spec.seed, None, None)]
    budget = spec.target.labels_per_class
    for seed in range(spec.seed, spec.seed + spec.evaluation.seeds):
        if spec.evaluation.baseline:
            trials.append(PlannedTrial("baseline", BASELINE, seed, budget, None))
        trials += [PlannedTrial("transfer", arm, seed, budget, 0) for arm in spec.arms]
    return trials
