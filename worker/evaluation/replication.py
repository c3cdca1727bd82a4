"""Values of an arm: what counts as one, and what they replicate.

Trials that start from the same pretraining are no independent runs of the whole recipe, so

- where a job has several pretrainings and fewer than seeds, the seeds that share one count
  together, by their mean: the spread of P values, with P - 1 degrees of freedom, tells how much the
  pretraining varies as well;
- where all seeds share one, how much it varies cannot be known. Each seed counts, and what is said
  of them holds for that pretraining;
- copies of one network are one value, however many seeds asked for it: a baseline that trains
  nothing, or an arm whose training leaves every seed with the same outputs.

A row below is what is measured with one seed: a trial, or a pair of them.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.spec.intervals import Replication
from worker.evaluation.arrays import Floats

GIVEN = "given"  # the network that a job was handed, which no seed has changed
ALIKE = 1e-3  # of the largest logit: the same network differs by less on other hardware
FIRST_ITEMS = 64  # what tells most networks apart
IN_WORDS: dict[Replication, str] = {
    "seeds": "seeds",
    "seeds_of_one_pretraining": "seeds of one pretraining",
    "pretrainings": "pretrainings",
    "one_network": "network",
}


class Run(Protocol):
    @property
    def start(self) -> str | None:
        """Start that it shares with others: a pretraining's id, or GIVEN; None where nothing."""

    @property
    def logits(self) -> Floats:
        """(n, K), of the same items in every run."""


@dataclass(frozen=True)
class Replicates:
    """`members`: the rows of each value, in the order of their first."""

    members: tuple[tuple[int, ...], ...]
    replication: Replication

    def means(self, values: Sequence[float] | Floats) -> NDArray[np.float64]:
        """One value per replicate.

        Args:
            values: one per row, (rows, ...).

        Returns:
            (replicates, ...)
        """
        rows = np.asarray(values, np.float64)
        return np.stack([rows[list(members)].mean(axis=0) for members in self.members])


def replicates_of(rows: Sequence[Sequence[Run]]) -> Replicates:
    """Replicates. Of an arm each row is one run, of a gain the transfer's and the baseline's."""
    starts = [tuple(run.start for run in row) for row in rows]
    keys = [
        start if any(start) else number for number, start in enumerate(starts)
    ]  # a row that shares nothing is its own
    if len(rows) < 2 or len(set(keys)) > 1:
        members = _grouped(keys)
        return Replicates(members, "pretrainings" if len(members) < len(rows) else "seeds")
    members = _grouped(_networks(rows))
    if len(members) == 1:
        return Replicates(members, "one_network")
    is_given = set(starts[0]) <= {GIVEN, None}
    return Replicates(members, "seeds" if is_given else "seeds_of_one_pretraining")


def _networks(rows: Sequence[Sequence[Run]]) -> list[int]:
    """Number of the first row that each row copies, or its own."""
    distinct: list[int] = []
    numbers = []
    for number, row in enumerate(rows):
        same = (known for known in distinct if all(map(_are_copies, row, rows[known])))
        first = next(same, number)
        if first == number:
            distinct.append(number)
        numbers.append(first)
    return numbers


def _are_copies(one: Run, other: Run) -> bool:
    if one.logits.shape != other.logits.shape:
        return False
    for items in (slice(FIRST_ITEMS), slice(None)):
        a, b = one.logits[items], other.logits[items]
        if not np.allclose(a, b, rtol=0, atol=ALIKE * float(np.abs(a).max())):
            return False
    return True


def _grouped(keys: Sequence[Hashable]) -> tuple[tuple[int, ...], ...]:
    found: dict[Hashable, list[int]] = {}
    for number, key in enumerate(keys):
        found.setdefault(key, []).append(number)
    return tuple(map(tuple, found.values()))
