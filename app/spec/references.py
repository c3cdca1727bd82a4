"""References: what a user would try without a network, which a job's arms are held against.

Each is a model of scikit-learn, on the same items, labels and seeds as the arms; of texts, where a
job asks for it, also the network that characters alone have taught, which stands for what a frozen
encoder brings to every arm, scratch among them. A reference is no arm and never the baseline: where
one is better than the winner, the report says so first.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from app.datasets.schemas import Schema
from app.errors import Coded, Finding
from app.sent import Sent
from app.spec.sources import SourceFacts, joint_obstacle

if TYPE_CHECKING:
    from app.spec.spec import JobSpec

ReferenceModel = Literal["linear", "forest", "boosting", "charconv"]
Rows = Literal["target", "source", "both"]

MOST_VALUES = 4096  # of an item
MOST_NUMBERS = 2**24  # of all training rows of a wider table
MOST_LABELS = 30  # of a multi-label task

REFERENCE_MODELS: dict[ReferenceModel, str] = {
    "linear": "logistic or ridge regression, of texts on TF-IDF of runs of characters",
    "forest": "a random forest of 200 trees",
    "boosting": "boosted trees: 150 of 6 leaves, at a rate of .04",
    "charconv": "a network over characters, from random weights",
}
NETWORK: ReferenceModel = "charconv"  # the one that is no model of scikit-learn


class PlannedReference(Sent):
    """One model on some of the rows; on `both` a column tells source from target."""

    model: ReferenceModel
    rows: Rows

    @property
    def arm(self) -> str:
        """Name of its trials."""
        return f"{self.model}_on_{self.rows}"


def planned_references(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> tuple[PlannedReference, ...]:
    """All that the job asks for and has rows for; where it leaves that open, those that are at home
    with such items."""
    wanted = spec.evaluation.references
    if wanted == "auto":
        at_home = target.inputs.has_references and not _obstacle(target)
        able = _able(target) if at_home else ()
        wanted = tuple(model for model in able if model != NETWORK)
    rows = _rows(spec, sources, target) if spec.trains_arms else []
    return tuple(
        PlannedReference(model=model, rows=each)
        for model in wanted
        for each in rows
        if model != NETWORK or each == "target"
    )


def reference_findings(spec: "JobSpec", target: Schema) -> list[Coded]:
    """Returns what is wrong with references that a job asks for by name."""
    if spec.evaluation.references == "auto" or not spec.evaluation.references:
        return []
    pointer = "#/evaluation/references"
    obstacle, able = _obstacle(target), _able(target)
    if not obstacle and any(model not in able for model in spec.evaluation.references):
        obstacle = f"{target.inputs.modality}s, but for {', '.join(able)}"
    if NETWORK in spec.evaluation.references and not obstacle and not spec.target.use_labels:
        detail = f"expected labels of the target for {NETWORK}, which learns from nothing else"
        return [("no_references", Finding(detail, pointer))]
    if not obstacle:
        return []
    detail = f"expected no references where there are {obstacle}: leave them out, or say []"
    return [("no_references", Finding(detail, pointer))]


def _able(target: Schema) -> tuple[ReferenceModel, ...]:
    """Trees want quantities, and characters are a text's."""
    if target.inputs.has_quantities:
        return tuple(model for model in REFERENCE_MODELS if model != NETWORK)
    return ("linear", NETWORK) if target.inputs.modality == "text" else ("linear",)


def _obstacle(target: Schema) -> str | None:
    if target.inputs.modality == "joined":
        return "several parts of each item"
    if target.task.kind == "multi_label" and target.task.outputs > MOST_LABELS:
        return f"more than {MOST_LABELS} labels, each of which takes a model of its own"
    if target.inputs.has_quantities and target.inputs.values > MOST_VALUES:
        numbers = target.inputs.values * target.splits.get("train", 0)
        if not target.inputs.has_references:
            return f"more than {MOST_VALUES} values in an item"
        if numbers > MOST_NUMBERS:
            return (
                f"more than {MOST_VALUES} columns and, in all training rows of the target, more "
                f"than {MOST_NUMBERS} numbers"
            )
    return None


def _rows(spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema) -> list[Rows]:
    own: list[Rows] = ["target"] if spec.target.use_labels else []
    classes = set(target.classes)  # none where the target has no labels at all
    alike = all(
        facts.has_data
        and facts.is_of(target)
        and facts.schema.inputs.modality == target.inputs.modality
        and (not classes or set(facts.schema.classes) == classes)
        for facts in sources
    )
    if not alike or (len(sources) > 1 and joint_obstacle(sources)):
        return own
    return [*own, "source", "both"] if own else ["source"]
