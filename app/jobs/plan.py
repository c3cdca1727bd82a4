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
        training, schema = spec.training, source if self.role == "pretrain" else target
        labelled = [
            min(count, self.labels_per_class or count) for count in schema.class_counts["train"]
        ]
        fraction = training.validation_fraction
        items = sum(count - held_out(count, fraction) for count in labelled)
        match self.role:
            case "pretrain":
                epochs = training.pretrain_epochs or training.epochs
            case "baseline":
                epochs = spec.baseline_epochs(items)
            case "transfer":
                epochs = spec.arms[self.arm].epochs(training.epochs)
        return epochs * ceil(items / training.batch_size)


def held_out(items: int, fraction: float) -> int:
    """Of a class's `items`, how many are for validation: round(fraction * items), at least 1 and
    never all but the last; none of a class with fewer than 3."""
    return min(max(1, round(fraction * items)), items - 1) if items >= 3 else 0


def plan(spec: ResolvedSpec) -> list[PlannedTrial]:
    """Pretrainings first, which the seeds share in turn; then every arm with every seed, on the
    job's own label budget before the learning curve's others: a job that is cut short has answered
    its question first."""
    seeds, pretrainings = spec.evaluation.seeds, spec.evaluation.pretrain_seeds
    trials = [
        PlannedTrial("pretrain", PRETRAIN, spec.seed + number, None, None)
        for number in range(pretrainings)
    ]
    own = spec.target.labels_per_class
    for budget in (own, *(other for other in spec.budgets if other != own)):
        for number in range(seeds):
            seed = spec.seed + number
            if spec.evaluation.baseline:
                trials.append(PlannedTrial("baseline", BASELINE, seed, budget, None))
            trials += [
                PlannedTrial("transfer", arm, seed, budget, number % pretrainings)
                for arm in spec.arms
            ]
    return trials
