"""What chaos has done to a service, and what came of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Outcome:
    """What was done and what came of it. `complaints`: promises that were broken."""

    seed: int
    done: Counter[str] = field(default_factory=Counter)
    storms: dict[str, str] = field(default_factory=dict)  # or why there was none
    steered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)
    trials: Counter[str] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)  # before the retry
    fenced: int = 0  # at a write; most learn it sooner, from their token
    seconds: int = 0
    complaints: list[str] = field(default_factory=list)

    def table(self) -> str:
        counted: dict[str, Mapping[Any, int]] = {
            f"{self.done.total()} disturbances": self.done,
            "jobs": self.jobs,
            "failed before the retry": self.failures,
            "trials": self.trials,
            "trials by attempts": dict(sorted(self.attempts.items())),
            "asked for": self.steered,
            "refused": self.refused,
        }
        lines = []
        for title, counts in counted.items():
            lines.append(title)
            lines += [f"    {name!s:28}{count:6}" for name, count in counts.items()]
        lines += [f"{name}: {lasted}" for name, lasted in self.storms.items()]
        lines.append(f"fenced at a write: {self.fenced}; {self.seconds} s")
        return "\n".join([*lines, *(f"BROKEN: {complaint}" for complaint in self.complaints)])
