"""Progress of a job, from its trials' rows alone, so that the answer stays the same while nothing
moves. Pure."""

from dataclasses import dataclass, field

UNFINISHED = ("waiting", "queued", "running")


@dataclass(frozen=True)
class StatusCount:
    """The trials of a job that share a status."""

    status: str
    trials: int
    planned: float  # seconds (forecast.py), summed
    done: float  # of these
    shares: float  # each trial's progress, 0..1, summed
    seconds: float = 0.0  # of training that they took, summed


@dataclass
class TrialCounts:
    """A job's trials, counted."""

    parts: list[StatusCount] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Trials by status."""
        return {part.status: part.trials for part in self.parts}

    @property
    def seconds(self) -> float:
        """Seconds of training, over all trials and attempts."""
        return sum(part.seconds for part in self.parts)

    @property
    def progress(self) -> float:
        """Planned seconds done over all, 0..1; a trial that has failed will do no more."""
        return self._share(settled=("failed",))

    @property
    def done(self) -> float:
        """Planned seconds done over all, 0..1; of a trial that has failed what it had done."""
        return self._share(settled=())

    def _share(self, settled: tuple[str, ...]) -> float:
        if not sum(part.planned for part in self.parts):  # rows of a release that did not plan them
            total = float(sum(part.trials for part in self.parts))
            done = sum(p.trials if p.status in settled else p.shares for p in self.parts)
        else:
            total = sum(part.planned for part in self.parts)
            done = sum(p.planned if p.status in settled else p.done for p in self.parts)
        return min(1.0, done / total) if total else 0.0
