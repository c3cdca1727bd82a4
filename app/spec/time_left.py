"""Seconds that the rest of a job takes, from what its trials have taken. Pure.

A trial is expected to take what finished ones of its arm and label budget took, their median. Where
none has finished, it takes its planned seconds (forecast.py) times a pace: seconds measured over
seconds planned, the median over trials of its arm, else of its kind, else of the job's, else what
the installation has measured. So a scoring of one step, or a probe that converged at once, says
nothing of the seconds that a long training takes.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, median_low

from app.spec.plan import PRETRAIN
from app.spec.progress import UNFINISHED

MEASURABLE_SHARE = 0.1  # of a running trial: before, its seconds are mostly compilation
FINALISING_SECONDS = 5.0  # report, graph, deployment
Key = tuple[object, ...]
WITNESSES = 3  # trials of an arm, elsewhere, that say more than all others


@dataclass(frozen=True)
class TrialTime:
    """A trial as its row says, or several that are alike and have not begun."""

    role: str
    arm: str
    labels_per_class: int | None
    status: str
    planned: float  # seconds, of one
    progress: float = 0.0  # 0..1
    seconds: float = 0.0  # that it has taken
    trials: int = 1
    is_taken_over: bool = False  # another job had trained it

    @property
    def pace(self) -> float | None:
        """Seconds measured over seconds planned."""
        is_measured = self.status == "succeeded" or self.progress >= MEASURABLE_SHARE
        done = self.progress * self.planned
        if not is_measured or self.is_taken_over or not done or not self.seconds:
            return None
        return self.seconds / done


@dataclass(frozen=True)
class TimingRatios:
    """Seconds measured over seconds planned, of this installation's last trials of a backbone."""

    by_arm: Mapping[str, Sequence[float]]

    @property
    def is_measured(self) -> bool:
        return any(self.by_arm.values())

    def of(self, arm: str) -> float | None:
        """Returns None where nothing was measured."""
        found = self.by_arm.get(arm, ())
        if len(found) < WITNESSES:
            found = [pace for paces in self.by_arm.values() for pace in paces]
        return median(found) if found else None


def seconds_left(
    trials: Sequence[TrialTime], installation: TimingRatios, affordable: float | None = None
) -> float:
    """Estimates the seconds left, with as many trials at once as now, and with the report.

    Args:
        trials: a job's; of those that have ended, witnesses for the others.
        affordable: seconds that all of them together may still take.
    """
    witnesses = _Witnesses(trials, installation)
    left = [
        (trial.trials, (1 - trial.progress) * witnesses.expected(trial))
        for trial in trials
        if trial.status in UNFINISHED
    ]
    total = sum(count * seconds for count, seconds in left)
    longest = max((seconds for _, seconds in left), default=0.0)
    if affordable is not None:
        total = min(total, max(0.0, affordable))
    at_once = max(1, sum(trial.status == "running" for trial in trials))
    return max(total / at_once, min(longest, total)) + FINALISING_SECONDS


class _Witnesses:
    """What the job's own trials have taken."""

    def __init__(self, trials: Sequence[TrialTime], installation: TimingRatios) -> None:
        self._installation = installation
        finished, paces = defaultdict[Key, list[float]](list), defaultdict[Key, list[float]](list)
        for trial in trials:
            if trial.pace is None:
                continue
            if trial.status == "succeeded":
                finished[_alike(trial)].append(trial.seconds)
            for kind in _kinds(trial):
                paces[kind].append(trial.pace)
        # The first of two has compiled.
        self._finished = {kind: median_low(found) for kind, found in finished.items()}
        self._paces = {kind: median(found) for kind, found in paces.items()}

    def expected(self, trial: TrialTime) -> float:
        """Seconds of the whole trial."""
        if (alike := self._finished.get(_alike(trial))) is not None:
            return alike
        known = (self._paces[kind] for kind in _kinds(trial) if kind in self._paces)
        pace = next(known, None) or self._installation.of(trial.arm) or 1.0
        return pace * trial.planned


def _alike(trial: TrialTime) -> Key:
    return trial.role, trial.arm, trial.labels_per_class


def _kinds(trial: TrialTime) -> tuple[Key, ...]:
    """Kinds from the most alike to the least."""
    return (trial.role, trial.arm), (trial.role == PRETRAIN,), ()
