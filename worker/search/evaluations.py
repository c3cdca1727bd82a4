"""Evaluations that a search remembers: JSON through pydantic, for its checkpoint."""

from app.spec.outcomes import Candidate
from app.spec.training import StoredPart


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
