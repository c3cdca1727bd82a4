"""Candidates that the transferability scores of the source's features rule out before training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.spec.outcomes import Candidate
from app.spec.relation import Relation

AT_CHANCE = 1.5  # times the accuracy of guessing


@dataclass(frozen=True)
class SourceEvidence:
    """Scores of the source's network on the target's labelled items."""

    classes: int  # the target's that occur
    scores: Mapping[str, float | None]  # of worker.evaluation.transferability
    relation: Relation | None


def ruled_out(portfolio: Sequence[Candidate], evidence: SourceEvidence) -> dict[Candidate, str]:
    """Who, and why. One at least stays: the first, where all would go."""
    rules = {"linear_probe": _probe, "co_tuning": _relation}
    found = {
        each: why for each in portfolio if each.way in rules and (why := rules[each.way](evidence))
    }
    if len(found) == len(portfolio):
        del found[portfolio[0]]
    return found


def _probe(evidence: SourceEvidence) -> str | None:
    probe = evidence.scores["probe"]
    if probe is None or probe >= AT_CHANCE / evidence.classes:
        return None
    return f"a probe of the source's features reaches {probe:.2f}, little over guessing"


def _relation(evidence: SourceEvidence) -> str | None:
    found = evidence.relation
    if found is None or not found.is_chance:
        return None
    return (
        f"the source's classes tell {found.told:.2f} nats of these (LEEP over their frequencies), "
        f"{found.by_chance:.2f} are told by chance"
    )
