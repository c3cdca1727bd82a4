"""Settings that a network is trained with where a job does not say: the facts of its entry."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from app.datasets.schemas import Schema
from app.inputs.matching import name_key
from app.inputs.table import TableInputs
from app.spec.backbones import CATALOGUE, Backbone
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec


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
        if setting == "hidden_parts" and model.params.looks_at_one_part:
            continue  # nothing would be left
        if setting != "hidden_columns":
            yield Default(setting, value, f"what {entry.name} was measured best with")
        elif _differ_in_gaps([target, *(facts.schema for facts in sources)]):
            reason = (
                "source and target differ in which columns lack values: so it learns what to say "
                "without those that do"
            )
            yield Default(setting, value, reason)


def _differ_in_gaps(schemas: Sequence[Schema]) -> bool:
    """Tells whether rows of one of these tables lack values of a column that another has in all
    rows. One that lacks some in both is learnt as it is."""
    found: dict[str, set[bool]] = {}
    for schema in schemas:
        if isinstance(schema.inputs, TableInputs):
            for column in schema.inputs.columns:
                found.setdefault(name_key(column.name), set()).add(column.misses)
    return any(len(gaps) > 1 for gaps in found.values())
