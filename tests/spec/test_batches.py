"""BatchNorm over a batch of one item is refused, whichever way the network comes to have it."""

from typing import Any

import pytest

from app.datasets.schemas import Schema
from app.spec import checks
from app.spec.backbones import Convnet, Mlp
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec
from tests.jobs.factories import SCHEMA

HIDDEN = {"dataset": "ds_1", "use_labels": False}
ONE = {"training": {"batch_size": 1}}
TWO = {"training": {"batch_size": 2}}
LARGE = SCHEMA.model_copy(update={"splits": {"train": 600, "test": 20}})
MOBILE = {"backbone": "mobilenet", "image_size": [32, 32]}


def refused(facts: SourceFacts, data: Schema = SCHEMA, **fields: Any) -> list[str | None]:
    """Where the job has too small batches."""
    source = {"dataset": "ds_0"} if facts.has_data else {"model": "mdl_0"}
    spec = JobSpec.model_validate({"sources": [source], "target": {"dataset": "ds_1"}, **fields})
    return [
        finding.pointer
        for code, finding in checks.findings(spec, [facts], data)
        if code == "batch_norm_needs_items"
    ]


@pytest.mark.parametrize(
    ("facts", "fields"),
    [
        (SourceFacts(SCHEMA), {"model": {"backbone": "convnet"}}),
        (SourceFacts(SCHEMA), {"model": {"backbone": "convnet", "bottleneck": 64}}),
        (SourceFacts(SCHEMA), {"model": {"backbone": "mlp", "bottleneck": 64}}),
        (SourceFacts(SCHEMA), {"model": MOBILE}),
        (SourceFacts(LARGE), {}),  # auto: a convnet
        (SourceFacts(SCHEMA), {"target": HIDDEN}),  # with a bottleneck by default
        (SourceFacts(SCHEMA, Convnet(backbone="convnet")), {}),
        (SourceFacts(SCHEMA, Mlp(backbone="mlp", bottleneck=8)), {}),
    ],
)
def test_batches_of_one(facts: SourceFacts, fields: dict[str, Any]) -> None:
    assert refused(facts, **fields, **ONE) == ["#/training/batch_size"]
    assert refused(facts, **fields, **TWO) == []


@pytest.mark.parametrize(
    ("facts", "fields"),
    [
        (SourceFacts(SCHEMA), {}),  # auto: an mlp
        (SourceFacts(SCHEMA), {"model": {"backbone": "mlp"}}),
        (SourceFacts(SCHEMA), {"model": {"backbone": "mlp", "bottleneck": None}, "target": HIDDEN}),
        (SourceFacts(SCHEMA), {"model": {"bottleneck": None}, "target": HIDDEN}),
        (SourceFacts(SCHEMA, Mlp(backbone="mlp")), {}),
    ],
)
def test_networks_without_batch_norm(facts: SourceFacts, fields: dict[str, Any]) -> None:
    assert refused(facts, **fields, **ONE) == []


@pytest.mark.parametrize(("items", "fraction"), [(1, 0.1), (3, 0.9)])
def test_one_item_of_the_target_to_train_on(items: int, fraction: float) -> None:
    target = SCHEMA.model_copy(
        update={
            "splits": {"train": items, "test": 20},
            "class_counts": {"train": (0, 0), "test": (10, 10)},
        }
    )
    fields = {"target": HIDDEN, "training": {"validation_fraction": fraction}}
    assert refused(SourceFacts(SCHEMA), target, **fields) == ["#/target/dataset"]
    bare = {"backbone": "mlp", "bottleneck": None}
    assert refused(SourceFacts(SCHEMA), target, **fields, model=bare) == []
    more = target.model_copy(update={"splits": {"train": items + 1, "test": 20}})
    wanted = fields if items == 1 else {"target": HIDDEN}
    assert refused(SourceFacts(SCHEMA), more, **wanted) == []
