"""What a network is trained with where a job does not say: the facts of its entry."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from app.datasets.schemas import Schema
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
        if setting != "hidden_columns":
            yield Default(setting, value, f"what {entry.name} was measured best with")
        elif _lacks_values([target, *(facts.schema for facts in sources)]):
            reason = "some rows lack values: so it learns what to say without any of them"
            yield Default(setting, value, reason)


def _lacks_values(schemas: Sequence[Schema]) -> bool:
    """Whether a training row of any of these tables has no value in one of its columns."""
    tables = [each.inputs for each in schemas if isinstance(each.inputs, TableInputs)]
    return any(column.misses for table in tables for column in table.columns)
