"""What the transferability scores of the source's features rule out before anything is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.search.candidates import Candidate

AT_CHANCE = 1.5  # times the accuracy of guessing


@dataclass(frozen=True)
class Evidence:
    """Of the target's labelled items and the source's network on them."""

    y: NDArray[np.int32]  # (n,)
    source_classes: int
    scores: Mapping[str, float | None]  # of worker.evaluation.transferability


def ruled_out(portfolio: Sequence[Candidate], evidence: Evidence) -> dict[Candidate, str]:
    """Who, and why. One at least stays: the first, where all would go."""
    rules = {"linear_probe": _probe, "co_tuning": _relation}
    found = {
        each: why
        for each in portfolio
        if each.name in rules and (why := rules[each.name](evidence))
    }
    if len(found) == len(portfolio):
        del found[portfolio[0]]
    return found


def _probe(evidence: Evidence) -> str | None:
    probe, classes = evidence.scores["probe"], len(np.unique(evidence.y))
    if probe is None or probe >= AT_CHANCE / classes:
        return None
    return f"a probe of the source's features reaches {probe:.2f}, little over guessing"


def _relation(evidence: Evidence) -> str | None:
    """LEEP over what the classes' frequencies tell. Of labels that have nothing to do with the
    source's classes that is, in the mean, the degrees of freedom over twice the items (the G-test:
    2n times the mutual information is chi-squared)."""
    leep = evidence.scores["leep"]
    if leep is None:
        return None
    shares = np.unique(evidence.y, return_counts=True)[1] / len(evidence.y)
    told = leep - float((shares * np.log(shares)).sum())
    by_chance = (evidence.source_classes - 1) * (len(shares) - 1) / (2 * len(evidence.y))
    if told > by_chance:
        return None
    return (
        f"the source's classes tell {told:.2f} nats of these (LEEP over their frequencies), "
        f"{by_chance:.2f} are told by chance"
    )
