"""Costs of training with a candidate."""

from dataclasses import dataclass
from math import ceil

from app.spec.forecast import HEAD_STEP_COST
from app.spec.outcomes import Candidate, head_epochs
from app.spec.strategy_catalogue import batches_of_step
from app.spec.training import Training


@dataclass(frozen=True)
class Costs:
    """Costs of trainings, at most, in steps of the whole network. `head`: epochs after which the
    head is known to have converged; None: not known."""

    training: Training  # the job's
    items: int  # that a trial trains on
    fold_items: int  # that an evaluation trains on
    beside_labels: bool = False  # target items without labels, in strategies that take them
    least: float = 0.0  # steps that a search may cost however few the job's are

    def of_trial(self, candidate: Candidate, head: int | None = None) -> float:
        return self._epochs(candidate, head) * self.steps(self.items)

    def of_fold(self, candidate: Candidate, share: float, head: int | None = None) -> float:
        shorter = candidate.shortened(share, self.training)
        return self._epochs(shorter, head) * self.steps(self.fold_items)

    @property
    def of_epochs(self) -> float:
        """Cost of the whole network, as many as the job says."""
        return float(self.training.epochs * self.steps(self.items))

    def steps(self, items: int) -> int:
        """Steps of an epoch."""
        return ceil(items / self.training.batch_size)

    def _epochs(self, candidate: Candidate, head: int | None) -> float:
        """Cost in epochs of the whole network on one domain."""
        epochs, strategy = candidate.epochs or self.training.epochs, candidate.strategy
        most = head_epochs(candidate)
        whole = (strategy.epochs(epochs) if strategy else epochs) - most
        needed = most if head is None else min(head, most)
        return HEAD_STEP_COST * needed + whole * batches(candidate, self.beside_labels)


def batches(candidate: Candidate, beside_labels: bool = False) -> int:
    """That a step goes through."""
    return batches_of_step(candidate.strategy, beside_labels) if candidate.strategy else 1
