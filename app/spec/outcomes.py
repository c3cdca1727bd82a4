"""Outcomes of trials that train no model: of a scoring of a source, and of a search.

They stand as JSON in the trial's row and in archives, whichever release wrote them.
"""

from math import ceil
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.spec.flaws import Imbalance
from app.spec.relation import Relation
from app.spec.strategies import BASELINE, Strategy
from app.spec.strategy_params import LinearProbeParams
from app.spec.training import Augmentation, StoredPart, Training

Scores = dict[str, float | None]


class Candidate(StoredPart):
    """Strategy with its settings; a setting that is None is the job's."""

    strategy: Annotated[Strategy, Field(discriminator="name")] | None = None  # None: the baseline
    learning_rate: float | None = None
    weight_decay: float | None = None
    epochs: int | None = None
    augmentation: Augmentation | None = None
    imbalance: Imbalance | None = None  # where choices of it are compared

    @property
    def way(self) -> str:
        """Name of the strategy, or of the baseline."""
        return self.strategy.name if self.strategy else BASELINE

    @property
    def name(self) -> str:
        return f"{self.way} with {self.imbalance}" if self.imbalance else self.way

    @property
    def views(self) -> str:
        """Augmentation in words."""
        return self.augmentation.words if self.augmentation else "none"

    def training(self, job: Training) -> Training:
        """The job's, with this candidate's settings."""
        settings = ("learning_rate", "weight_decay", "epochs", "augmentation")
        own = {name: getattr(self, name) for name in settings}
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


class OutcomePart(BaseModel):
    """Part of an outcome. What other releases say beside it is no error."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class ScoreOutcome(OutcomePart):
    """Suitability of a source for a target, before anything is transferred.

    scores: of the source's features on the target's labelled training items, by name.
    relation: of the source's classes to the target's.
    domain_distance: how far the two are apart in the features; None without the source's data.
    """

    scores: Scores
    relation: Relation | None = None
    domain_distance: Scores | None = None


class Tried(OutcomePart):
    """A candidate on one rung. Settings are null where they were the job's."""

    strategy: str
    params: dict[str, Any]
    learning_rate: float | None
    weight_decay: float | None
    epochs: int | None
    augmentation: Augmentation | None = None
    imbalance: Imbalance | None = None
    rung: int
    share: float  # of its epochs that it was trained for
    folds: int
    score: float | None
    loss: float | None
    seconds: float
    dropped: str | None  # why it went no further; of the last rung, why it was not chosen


class SearchOutcome(OutcomePart):
    """Result of a search: what an arm's trials are trained with.

    scores, relation: of the source, before any training.
    trainings: what the search cost, in full trainings of the chosen strategy, or of the network for
        the job's epochs where that trains nothing.
    """

    chosen: Candidate
    reason: str
    tried: tuple[Tried, ...]
    scores: Scores | None = None
    relation: Relation | None = None
    stopped: Literal["budget"] | None = None
    trainings: float
    seconds: float


TrialOutcome = ScoreOutcome | SearchOutcome


def outcome_of(role: str, stored: dict[str, Any] | None) -> TrialOutcome | None:
    """Reads the outcome that is stored of a trial of a role; None where there is none."""
    if stored is None:
        return None
    match role:
        case "score":
            return ScoreOutcome.model_validate(stored)
        case "search":
            return SearchOutcome.model_validate(stored)
    return None
