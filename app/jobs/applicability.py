"""Which strategies can run between a job's domains, and why the others cannot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.datasets.schemas import Schema
from app.jobs.backbones import Mlp
from app.jobs.sources import SourceFacts
from app.jobs.strategies import CATALOGUE, Need

if TYPE_CHECKING:
    from app.jobs.spec import JobSpec

Obstacle = tuple[str, str]  # code, sentence


def obstacle(
    name: str, spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Obstacle | None:
    """The first need of a strategy that the job does not meet."""
    found = (_unmet(need, spec, sources, target) for need in CATALOGUE[name].needs)
    return next((each for each in found if each), None)


def applicable(spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema) -> list[str]:
    return [name for name in CATALOGUE if obstacle(name, spec, sources, target) is None]


def _unmet(
    need: Need, spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Obstacle | None:
    match need:
        case "same_classes":
            for facts in sources:
                classes, wanted = facts.schema.classes, target.classes
                # Labels of the test alone need not name every class.
                if not target.has_labels("train") and set(wanted) <= set(classes):
                    wanted = sources[0].schema.classes
                if classes != wanted:
                    return "label_space_mismatch", (
                        f"expected the same classes in source and target, got {len(classes)} and "
                        f"{len(wanted)} others"
                        if set(classes) != set(wanted)
                        else "expected the same classes in the same order in source and target"
                    )
        case "source_data":
            if not all(facts.has_data for facts in sources):
                return "needs_source_data", (
                    "expected the source's data, got a model without it: a second task or domain "
                    "is needed to learn from"
                )
        case "target_labels":
            if not spec.target.use_labels:
                return "needs_target_labels", "expected target.use_labels true, it learns from them"
        case "unlabelled_target":
            if spec.target.use_labels:
                return "labels_unused", (
                    "expected target.use_labels false, it learns nothing from target labels"
                )
        case "batch_norm":
            model = next((facts.network for facts in sources if facts.network), spec.model)
            # A bottleneck, which has one, is a new network's default without labels.
            if (
                isinstance(model, Mlp)
                and model.bottleneck is None
                and "bottleneck" in model.model_fields_set
            ):
                return "needs_batch_norm", "expected BatchNorm in the network, mlp has none"
    return None
