"""A journal of trainings that are short enough to start anew."""

from collections.abc import Callable

from app.spec.figures import Conditions
from worker.training.checkpoint import Checkpoint
from worker.training.setup import EpochRecord, Interrupted, Signal


class UnwrittenJournal:
    """Journal that keeps nothing; whatever `signal` says ends the training."""

    def __init__(self, signal: Callable[[], Signal | None]) -> None:
        self._signal = signal

    def signal(self) -> Signal | None:
        if self._signal() is not None:
            raise Interrupted(None)
        return None

    def computed_by(self, conditions: Conditions) -> None: ...

    def moved(self, progress: float) -> None: ...

    def epoch_ended(
        self, records: list[EpochRecord], progress: float, snapshot: Callable[[], Checkpoint]
    ) -> None: ...
