"""Strategies that can run between a job's domains, and why the others cannot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.datasets.schemas import Schema
from app.inputs.table import TableInputs
from app.spec.class_spaces import class_mismatch
from app.spec.crossing import crossed, pairs_of
from app.spec.networks import normalises
from app.spec.sources import SourceFacts
from app.spec.strategy_catalogue import CATALOGUE, Need
from app.spec.table_needs import nothing_lacking, nothing_to_scale

if TYPE_CHECKING:
    from app.spec.spec import JobSpec

Obstacle = tuple[str, str]  # code, sentence

_OF_TABLES = (
    ". It measures a network's features; numbers of a table are brought to one scale by "
    "`domain_scaling`"
)


def obstacle(
    name: str, spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Obstacle | None:
    """The first need of a strategy that the job does not meet."""
    needs = CATALOGUE[name].needs_in(spec.target)
    found = (_unmet(need, spec, sources, target) for need in needs)
    return next((each for each in found if each), None)


def applicable(spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema) -> list[str]:
    return [name for name in CATALOGUE if obstacle(name, spec, sources, target) is None]


def _unmet(
    need: Need, spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Obstacle | None:
    found: Obstacle | None = None
    match need:
        case "classification" if not target.task.has_classes:
            found = (
                "needs_classification",
                f"expected a classification, got a {target.task.kind}: it learns from classes",
            )
        case "source_head" | "same_classes" if not all(facts.has_head for facts in sources):
            found = (
                "needs_source_head",
                "expected a source that tells classes, got an imported network without a head",
            )
        case "source_head" | "same_classes" if not all(f.tells_classes for f in sources):
            told = next(f.schema.task.kind for f in sources if not f.tells_classes)
            found = (
                "needs_source_classes",
                f"expected a source that tells one class of several, got a {told}: its backbone "
                "carries over, its head does not",
            )
        case "same_classes":
            found = _other_classes(spec, sources, target)
        case "source_data" if not all(facts.has_data for facts in sources):
            found = (
                "needs_source_data",
                "expected the source's data, got a model without it: a second task or domain is "
                "needed to learn from",
            )
        case "target_labels" if not spec.target.use_labels:
            found = (
                "needs_target_labels",
                "expected target.use_labels true, it learns from them",
            )
        case "unlabelled_target" if spec.target.use_labels:
            found = (
                "labels_unused",
                "expected target.use_labels false, it learns nothing from target labels, or "
                "target.use_unlabelled true, then it learns from items without them as well",
            )
        case "pairs" if not pairs_of(spec, sources, target):
            found = (
                "needs_pairs",
                "expected a source dataset whose items show the target's kind of item beside other "
                "parts, and a target that has that part alone: there are no pairs to learn from",
            )
        case "batch_norm" if not normalises(spec, sources, crossed(spec, sources, target)):
            found = (
                "needs_batch_norm",
                "expected BatchNorm in the network, got one without; model.bottleneck gives it one"
                + _OF_TABLES * isinstance(target.inputs, TableInputs),
            )
        case "shared_numbers":
            found = nothing_to_scale(spec.sources, sources, target)
        case "lacking_columns":
            found = nothing_lacking(spec.sources, sources, target)
    return found


def _other_classes(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Obstacle | None:
    reason = class_mismatch(sources, target)
    if reason is None:
        return None
    if not spec.target.use_labels and target.has_labels("train"):
        reason += "; with target.use_labels true classes may differ"
    return "label_space_mismatch", reason
