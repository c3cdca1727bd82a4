"""What a search tries: a strategy with its settings, and what training with them costs."""

from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any

from pydantic import Field

from app.spec.forecast import HEAD_STEP_COST
from app.spec.strategies import BASELINE, Strategy
from app.spec.strategy_catalogue import batches_of_step
from app.spec.strategy_params import LinearProbeParams
from app.spec.training import StoredPart, Training


class Candidate(StoredPart):
    """Strategy with its settings; a setting that is None is the job's."""

    strategy: Annotated[Strategy, Field(discriminator="name")] | None = None  # None: the baseline
    learning_rate: float | None = None
    weight_decay: float | None = None
    epochs: int | None = None

    @property
    def name(self) -> str:
        return self.strategy.name if self.strategy else BASELINE

    def training(self, job: Training) -> Training:
        """The job's, with this candidate's settings."""
        own = {name: getattr(self, name) for name in ("learning_rate", "weight_decay", "epochs")}
        return job.model_copy(
            update={name: value for name, value in own.items() if value is not None}
        )

    def with_params(self, **params: Any) -> "Candidate":
        """The same with other parameters of its strategy."""
        if self.strategy is None:
            raise ValueError("expected a strategy, got the baseline: it has no parameters")
        changed = self.strategy.params.model_copy(update=params)
        strategy = self.strategy.model_copy(update={"params": changed})
        return self.model_copy(update={"strategy": strategy})

    def shortened(self, share: float, job: Training) -> "Candidate":
        """Shortens a candidate to a `share` (0, 1] of its epochs, rounded up. A whole one is the
        candidate itself."""
        if share == 1:
            return self
        epochs = ceil(share * (self.epochs or job.epochs))
        shorter = self.model_copy(update={"epochs": epochs})
        head = head_epochs(self)
        return shorter.with_params(max_epochs=ceil(share * head)) if head else shorter


def head_epochs(candidate: Candidate) -> int:
    """Epochs, at most, on a frozen backbone's features."""
    params = candidate.strategy and candidate.strategy.params
    return params.max_epochs if isinstance(params, LinearProbeParams) else 0


@dataclass(frozen=True)
class Costs:
    """Costs of trainings, at most, in steps of the whole network. `head`: epochs after which the
    head is known to have converged; None: not known."""

    training: Training  # the job's
    items: int  # that a trial trains on
    fold_items: int  # that an evaluation trains on
    beside_labels: bool = False  # target items without labels, in strategies that take them

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
        """In epochs of the whole network on one domain."""
        epochs, strategy = candidate.epochs or self.training.epochs, candidate.strategy
        most = head_epochs(candidate)
        whole = (strategy.epochs(epochs) if strategy else epochs) - most
        needed = most if head is None else min(head, most)
        return HEAD_STEP_COST * needed + whole * batches(candidate, self.beside_labels)


def batches(candidate: Candidate, beside_labels: bool = False) -> int:
    """That a step goes through."""
    return batches_of_step(candidate.strategy, beside_labels) if candidate.strategy else 1
