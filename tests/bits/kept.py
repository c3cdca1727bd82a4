"""The marks that are kept, in kept.json, and how those of today are held against them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from tests.bits.marks import Marks, disagreement

FILE = Path(__file__).with_name("kept.json")
ROOT = Path(__file__).parents[2]
# All that a training has of the environment: settings of BLAS, oneDNN and XLA change bits.
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT")
SET = {"CUDA_VISIBLE_DEVICES": "-1", "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}


@dataclass(frozen=True)
class Today:
    """What this checkout trains to on this machine."""

    machine: str  # its kind of processor, and the releases of what computes
    pictures: str
    trials: dict[str, Marks]


@dataclass
class Kept:
    """`numbers`: trial -> its numbers, on any machine. `machines`: kind -> trial -> digests, of
    those trials that were there when that kind was last at hand."""

    pictures: str = ""
    numbers: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    machines: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Self:
        return cls(**json.loads(FILE.read_text()))

    def write(self) -> None:
        """One line per trial."""
        machines = {name: _Lines(digests) for name, digests in sorted(self.machines.items())}
        whole = {
            "pictures": self.pictures,
            "numbers": _Lines(self.numbers),
            "machines": _Lines(machines),
        }
        FILE.write_text(_text(_Lines(whole)) + "\n")

    def complaints(self, today: Today) -> list[str]:
        """What of today's is not as it was. Digests are left out where none is kept of this kind of
        machine, or none of a trial, which another kind has trained since."""
        if today.pictures != self.pictures:
            return [f"numpy draws other pictures: expected {self.pictures}, got {today.pictures}"]
        found = []
        digests = self.machines.get(today.machine)
        for name, marks in today.trials.items():
            if name not in self.numbers:
                found.append(f"{name}: expected its numbers in {FILE.name}, got none; add them")
            elif difference := disagreement(self.numbers[name], marks.numbers):
                found.append(f"{name}: {difference}")
            elif digests is not None and digests.get(name, marks.digests) != marks.digests:
                found.append(
                    f"{name}: expected the digests {digests[name]} of weights, outputs and "
                    f"facts, got {marks.digests}"
                )
        return found

    def lost(self, jobs: Iterable[str], today: Today) -> list[str]:
        """Trials of the jobs that are kept and were not run."""
        begins = tuple(f"{job}: " for job in jobs)
        return [
            name for name in self.numbers if name.startswith(begins) and name not in today.trials
        ]

    def add(self, today: Today) -> None:
        """Keeps what is not there yet: trials, and this kind of machine."""
        self.pictures = self.pictures or today.pictures
        digests = self.machines.setdefault(today.machine, {})
        for name, marks in today.trials.items():
            self.numbers.setdefault(name, marks.numbers)
            digests.setdefault(name, marks.digests)


def train(jobs: Iterable[str]) -> Today:
    """Trains the jobs in a fresh process with a clean environment."""
    with TemporaryDirectory(prefix="ktl-bits-") as folder:
        out = Path(folder, "today.json")
        command = [sys.executable, "-W", "ignore", "-m", "tests.bits.trained", str(out), *jobs]
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        ended = subprocess.run(
            command, cwd=ROOT, env=passed | SET, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr[-4000:]
        told: dict[str, Any] = json.loads(out.read_text())
    return Today(
        told["machine"],
        told["pictures"],
        {name: Marks(*marks) for name, marks in told["trials"].items()},
    )


class _Lines(dict[str, Any]):
    """An object that is written with a line for each member."""


def _text(value: Any) -> str:
    if not isinstance(value, _Lines):
        return json.dumps(value)
    members = [f"{json.dumps(name)}: {_text(value[name])}" for name in value]
    return "{\n" + ",\n".join(members) + "\n}"
