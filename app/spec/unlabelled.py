"""Target items without labels beside labelled ones: whether there are some, and a use for them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from app.datasets.schemas import Schema
from app.errors import Coded, Finding
from app.spec.applicability import applicable
from app.spec.plan import unlabelled_items
from app.spec.sources import SourceFacts
from app.spec.strategy_catalogue import CATALOGUE

if TYPE_CHECKING:
    from app.spec.spec import JobSpec

IDLE = (
    "target.use_unlabelled changes nothing where target.use_labels is false: no item has a label, "
    "and all of the target's training items take part"
)


def unlabelled_findings(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Iterator[Coded]:
    if not spec.target.takes_unlabelled or not target.has_labels("train"):
        return
    budgets = {"#/target/use_unlabelled": spec.target.budget}
    for place, budget in enumerate(spec.evaluation.learning_curve or ()):
        budgets[f"#/evaluation/learning_curve/{place}"] = budget
    for pointer, budget in budgets.items():
        if unlabelled_items(target, budget) <= 0:
            labels = "all labels" if budget is None else f"a budget of {budget}"
            detail = (
                f"expected training items without a label where target.use_unlabelled is true, got "
                f"none: with {labels} each of the target's {target.splits['train']} has one; lower "
                "the label budget, or upload items without labels"
            )
            yield "no_unlabelled_items", Finding(detail, pointer)
    if not spec.trains_arms:
        detail = "expected use_unlabelled false in a job that only ranks: nothing is trained"
        yield "unlabelled_not_used", Finding(detail, "#/target/use_unlabelled")
        return
    named = [strategy.name for strategy in spec.strategies]
    able = [name for name in applicable(spec, sources, target) if _takes(name)]
    if any(_takes(name) for name in named) or ("auto" in named and able):
        return
    others = f"of those that can there are {', '.join(able)}" if able else "none that can applies"
    detail = (
        "expected a strategy that learns from items without labels where target.use_unlabelled is "
        f"true, got {', '.join(named)}: {others}"
    )
    yield "unlabelled_not_used", Finding(detail, "#/target/use_unlabelled")


def _takes(name: str) -> bool:
    return name in CATALOGUE and CATALOGUE[name].takes_unlabelled
