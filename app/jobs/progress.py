"""How far a job is, and how long the rest will take: from its trials' rows alone, so that the
answer stays the same while nothing moves. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.jobs.plan import PRETRAIN

UNFINISHED = ("waiting", "queued", "running")


@dataclass(frozen=True)
class Part:
    """The trials of a job that share an arm and a status."""

    arm: str
    status: str
    trials: int
    steps: float  # planned
    done: float  # of these
    measured: float  # done by these trials themselves, not by another job's
    seconds: float


@dataclass
class Tally:
    """A job's trials, counted."""

    parts: list[Part] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Trials by status."""
        counts: dict[str, int] = {}
        for part in self.parts:
            counts[part.status] = counts.get(part.status, 0) + part.trials
        return counts

    @property
    def progress(self) -> float:
        """Planned steps done over all, 0..1; a trial that has failed is done."""
        total = sum(part.steps for part in self.parts)
        done = sum(part.steps if part.status == "failed" else part.done for part in self.parts)
        return min(1.0, done / total) if total else 0.0

    def seconds_left(self, installation: Mapping[str, float]) -> float | None:
        """With as many trials at once as now. None while nothing has been measured.

        A step's seconds are taken from the job's own trials of the arm, else from its own trials
        of that kind (pretrainings, or all others), else from this installation's.

        Args:
            installation: seconds a step by arm, over other jobs.
        """
        total = 0.0
        for part in self.parts:
            if part.status not in UNFINISHED:
                continue
            kind = [p for p in self.parts if _pretrains(p) == _pretrains(part)]
            rate = _rate(p for p in kind if p.arm == part.arm) or _rate(kind)
            rate = rate or installation.get(part.arm) or _median(installation.values())
            if rate is None:
                return None
            total += (part.steps - part.done) * rate
        return total / max(1, self.counts.get("running", 0))


def _pretrains(part: Part) -> bool:
    return part.arm.partition("@")[0] == PRETRAIN


def _rate(parts: Iterable[Part]) -> float | None:
    """Seconds a step."""
    measured = [(part.seconds, part.measured) for part in parts if part.measured > 0]
    return sum(s for s, _ in measured) / sum(n for _, n in measured) if measured else None


def _median(values: Iterable[float]) -> float | None:
    ranked = sorted(values)
    return ranked[len(ranked) // 2] if ranked else None
