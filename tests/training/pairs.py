"""Small trials across modalities: a source of pictures and rows, a target of pictures alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.datasets.schemas import Schema
from app.inputs.columns import NumberColumn
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.table import TableInputs
from app.spec.spec import ResolvedSpec
from app.tasks.classification import Classification
from tests.training import trials
from worker.training.data import Domain, Split, cut_validation
from worker.training.items import Items
from worker.training.setup import TrialSetup

CLASSES = 2
NETWORK: dict[str, Any] = {
    "image": {"filters": [4], "dense": 6},
    "table": {"hidden": [5]},
    "width": 6,
    "hidden": [6],
}
COLUMN = NumberColumn.fit("light", np.linspace(-1, 2, 30))
PARTS = JoinedInputs(
    parts=(
        JoinedPart(
            name="picture",
            inputs=ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255)),
        ),
        JoinedPart(name="row", inputs=TableInputs(columns=(COLUMN,))),
    )
)


def domain(items: int, seed: int, classes: int = CLASSES, has_rows: bool = True) -> Domain:
    """Light and dark; every fifth item of those that have rows lacks one of its parts."""
    rng = np.random.default_rng(seed)
    y = (np.arange(items) % classes).astype(np.int32)
    picture = rng.integers(0, 120, (items, 8, 8, 1), dtype=np.uint8)
    picture[np.arange(items), y] += 90
    row = (y[:, None] + rng.normal(0, 0.3, (items, 1))).astype(np.float32)
    present = np.ones(items, np.uint8)
    if has_rows:
        row[::5], present[2::5] = np.nan, 0
    else:
        row[:] = np.nan
    columns = {"picture.image": picture, "picture.present": present, "row.row": row}
    train, validation = cut_validation(y, 0.1, seed)
    split = Split.stored(Items.of(columns), y)
    schema = Schema(
        inputs=PARTS,
        task=Classification(classes=tuple(map(str, range(classes)))),
        splits={"train": items, "test": 0},
        class_counts={"train": (items // classes,) * classes, "test": (0,) * classes},
    )
    return Domain(schema, split.select(train), split.select(validation))


SOURCE, TARGET = domain(60, 1), domain(24, 2, has_rows=False)


def spec(name: str, params: dict[str, Any] | None = None, **training: Any) -> ResolvedSpec:
    job = trials.spec("fusion", NETWORK, strategies=(name,), **training)
    strategy = job.arms[name].strategy.model_dump() | {"params": params or {}}
    return ResolvedSpec.model_validate({**job.model_dump(), "strategies": [strategy]})


def trial(
    name: str, job: ResolvedSpec, source: Domain = SOURCE, weights: Path | None = None
) -> TrialSetup:
    """From the source's weights, where some are given."""
    setup = trials.trial(name, job, target=TARGET, source=source, source_weights=weights)
    alike = source.schema.classes == TARGET.schema.classes
    return replace(setup, parts=("picture",), shares_classes=alike)
