"""Check that arms were trained alike."""

from collections.abc import Mapping

from app.spec.figures import Cost
from app.spec.spec import ResolvedSpec
from app.spec.strategies import SUPERVISED

APART_FROM = 1.5  # times that the longest trained arm's steps outnumber the shortest's


def length_warnings(spec: ResolvedSpec, costs: Mapping[str, Cost]) -> list[str]:
    """A warning where arms differ in their optimizer steps of the whole network. Arms that train no
    more than a head, or nothing, are not compared, nor is the bound, which no gain is over."""
    steps = {name: cost.steps for name, cost in costs.items() if cost.steps and name != SUPERVISED}
    if not steps:
        return []
    longest, shortest = (of(steps, key=lambda name: steps[name]) for of in (max, min))
    if steps[longest] <= APART_FROM * steps[shortest]:
        return []
    return [
        f"{longest} was trained for {steps[longest]:.0f} optimizer steps of the whole network per "
        f"trial, {shortest} for {steps[shortest]:.0f}{_why(spec)}: what the one has over the "
        "other may be the longer training"
    ]


def _why(spec: ResolvedSpec) -> str:
    causes = []
    if spec.training.early_stopping:
        causes.append("early stopping")
    if spec.space.epochs:
        causes.append("the search for `epochs`")
    return f" (chosen by {' and '.join(causes)})" if causes else ""
