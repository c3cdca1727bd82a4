"""Jobs on digits of two classes and what is said of them."""

from typing import Any

import pytest

from app.datasets.schemas import Schema
from app.errors import Invalid
from app.spec.backbones import Backbone, Mlp
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec
from app.spec.strategy_catalogue import CATALOGUE
from tests.jobs.factories import SCHEMA
from tests.schemas import changed

DIGITS = SourceFacts(SCHEMA)
LETTERS = changed(SCHEMA, classes=("x", "y"))
UNLABELLED = changed(SCHEMA, classes=(), class_counts={"train": (), "test": ()})
TEST_LABELS_ONLY = SCHEMA.model_copy(update={"class_counts": {"train": (0, 0), "test": (10, 10)}})
HIDDEN = {"dataset": "ds_9", "use_labels": False}
OF_PAIRS = [name for name, entry in CATALOGUE.items() if "pairs" in entry.needs]
FROM_LABELS = [name for name, entry in CATALOGUE.items() if "target_labels" in entry.needs]
WITH_LABELS = [name for name in FROM_LABELS if name not in OF_PAIRS]  # of one modality
OF_TABLES = ["domain_scaling", "pseudo_features"]  # with target labels or without
WITHOUT_LABELS = [name for name in CATALOGUE if name not in {*FROM_LABELS, *OF_TABLES}]


def trained(network: Backbone, **changes: Any) -> SourceFacts:
    """A source model: its weights fit `network`."""
    counts: dict[str, tuple[int, ...]] = {"train": (), "test": ()}
    changes = {"splits": {}, "class_counts": counts, **changes}
    return SourceFacts(changed(SCHEMA, **changes), network)


MODEL = trained(Mlp(backbone="mlp", bottleneck=256))


def spec(sources: int = 1, **fields: Any) -> JobSpec:
    return of([{"dataset": f"ds_{number}"} for number in range(sources)], **fields)


def of_models(sources: int = 1, **fields: Any) -> JobSpec:
    return of([{"model": f"mdl_{number}"} for number in range(sources)], **fields)


def of(sources: list[dict[str, str]], **fields: Any) -> JobSpec:
    return JobSpec.model_validate({"sources": sources, "target": {"dataset": "ds_9"}, **fields})


def refusal(spec: JobSpec, *sources: SourceFacts, target: Schema = SCHEMA) -> Invalid:
    with pytest.raises(Invalid) as caught:
        resolve(spec, sources or (DIGITS,), target)
    return caught.value


def found(problem: Invalid) -> tuple[str, list[str | None]]:
    return problem.code, [finding.pointer for finding in problem.findings]
