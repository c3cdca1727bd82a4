"""What a network is trained with where a job does not say: the facts of its entry."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from app.spec.backbones import CATALOGUE, Backbone
from app.spec.spec import JobSpec


class Default(NamedTuple):
    setting: str
    value: Any
    reason: str


def defaults_of(model: Backbone, spec: JobSpec) -> Iterator[Default]:
    """Settings of `training` that the job leaves open and the network's entry does not."""
    entry, given = CATALOGUE[model.backbone], spec.training.model_fields_set
    for setting, value in entry.recipe.items():
        if setting not in given:
            yield Default(setting, value, f"what {entry.name} was measured best with")
