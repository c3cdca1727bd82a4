"""What a search leaves: JSON through pydantic, for the trial's row and the report."""

from typing import Any, Literal

from app.spec.relation import Relation
from app.spec.training import StoredPart
from worker.search.candidates import Candidate


class Result(StoredPart):
    """Result of one candidate on one fold."""

    values: tuple[float, ...] = ()  # one a held-out item, their mean is the score
    losses: tuple[float, ...] = ()  # likewise, in nats: they break ties
    cost: float  # in steps of the whole network
    head: int = 0  # epochs on a frozen backbone's features
    seconds: float
    failure: str | None = None


class Finished(StoredPart):
    """An evaluation as a search remembers it: all of them are its state."""

    candidate: Candidate
    rung: int
    fold: int
    result: Result


class Tried(StoredPart):
    """A candidate on one rung. Settings are null where they were the job's."""

    strategy: str
    params: dict[str, Any]
    learning_rate: float | None
    weight_decay: float | None
    epochs: int | None
    rung: int
    share: float  # of its epochs that it was trained for
    folds: int
    score: float | None
    loss: float | None
    seconds: float
    dropped: str | None  # why it went no further; of the last rung, why it was not chosen


class SearchOutcome(StoredPart):
    chosen: Candidate
    reason: str
    tried: tuple[Tried, ...]
    scores: dict[str, float | None] | None = None  # of the source's features, before any training
    relation: Relation | None = None  # of the source's classes to the target's
    stopped: Literal["budget"] | None = None
    trainings: float  # what the search cost, in full trainings of the chosen strategy
    seconds: float
