"""What a network is trained with where a job does not say: the facts of its entry."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from app.datasets.schemas import Schema
from app.spec.backbones import CATALOGUE, Backbone
from app.spec.plan import held_out
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec

FEWEST_TO_STOP_BY = 20  # validation items: the best epoch by fewer is a matter of luck


class Default(NamedTuple):
    setting: str
    value: Any
    reason: str


def defaults_of(
    model: Backbone, spec: JobSpec, sources: Sequence[SourceFacts], target: Schema
) -> Iterator[Default]:
    """Settings of `training` that the job leaves open and the network's entry does not."""
    entry, given = CATALOGUE[model.backbone], spec.training.model_fields_set
    for setting, value in entry.recipe.items():
        if setting in given:
            continue
        if setting == "early_stopping":
            items = _validation_items(spec, sources, target)
            if items < FEWEST_TO_STOP_BY:
                reason = f"with {items} items to validate on the best epoch is a matter of luck"
                yield Default(setting, None, reason)
                continue
        yield Default(setting, value, f"what {entry.name} was measured best with")


def _validation_items(spec: JobSpec, sources: Sequence[SourceFacts], target: Schema) -> int:
    """Those of the training with the fewest, of the target's at any label budget or, without
    labels, of a source's."""
    budgets = (spec.target.budget, *(spec.evaluation.learning_curve or ()))
    labelled = [(target, budget) for budget in budgets]
    if not spec.target.use_labels:
        labelled = [(facts.schema, None) for facts in sources if facts.has_data]
    fraction = spec.training.validation_fraction
    return min(
        (
            sum(
                held_out(count, fraction)
                for count in schema.task.strata(schema.class_counts["train"], budget)
            )
            for schema, budget in labelled
        ),
        default=0,
    )
