"""Small trials on tables: rows whose label shows in a number and in a category."""

from typing import Any

import numpy as np

from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, DateColumn, FlagColumn, NumberColumn
from app.inputs.table import TableInputs
from app.spec.backbones import Backbone
from app.spec.spec import ResolvedSpec
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from tests.training.trials import PROBES
from worker.backbones.network import Architecture
from worker.training.data import Domain, Split, cut_validation
from worker.training.items import Items

SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": [12]},
    "tabm": {"hidden": [12, 8], "members": 4},
    "ft_transformer": {"width": 8, "blocks": 1, "heads": 2},
}
CITIES = ("Rome", "Oslo", "Bonn")


def rows(items: int, seed: int) -> np.ndarray:
    """Age, smokes, city, seen and blood: (items, 5), float32, some of blood's missing."""
    rng = np.random.default_rng(seed)
    blood = np.where(rng.random(items) < 0.2, np.nan, rng.normal(size=items))
    columns = (
        rng.uniform(20, 80, items),
        rng.integers(0, 2, items),
        rng.integers(0, len(CITIES), items),
        rng.integers(15_000, 20_000, items),
        blood,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def table(seed: int = 0) -> TableInputs:
    seen = rows(200, seed).T
    return TableInputs(
        columns=(
            NumberColumn.fit("age", seen[0], "years"),
            FlagColumn(name="smokes"),
            CategoryColumn(name="city", values=CITIES),
            DateColumn.fit("seen", seen[3]),
            NumberColumn.fit("blood", seen[4]),
        )
    )


def risk(x: np.ndarray) -> np.ndarray:
    """What the labels follow, (items,): about 0 to 3."""
    return (x[:, 0] - 20) / 60 + x[:, 1] * (x[:, 2] == 0) + np.nan_to_num(x[:, 4]) / 3


def domain(is_regression: bool = False, items: int = 60, seed: int = 0) -> Domain:
    x = rows(items, seed)
    quantity = risk(x)
    task: Task
    if is_regression:
        y = quantity.astype(np.float32)
        task, counts, strata = Regression(mean=float(y.mean()), std=float(y.std())), (items,), None
    else:
        y = (quantity > np.median(quantity)).astype(np.int32)
        task = Classification(classes=("healthy", "sick"))
        counts, strata = tuple(np.bincount(y, minlength=2).tolist()), y
    train, validation = cut_validation(np.zeros(items, int) if strata is None else strata, 0.1, 0)
    split = Split.stored(Items.of({"row": x}), y)
    schema = Schema(
        inputs=table(seed),
        task=task,
        splits={"train": items, "test": 0},
        class_counts={"train": counts, "test": (0,) * len(counts)},
    )
    return Domain(schema, split.select(train), split.select(validation))


def architecture(model: Backbone, inputs: TableInputs | None = None) -> Architecture:
    return Architecture(model, inputs or table(), Classification(classes=("", "")).nameless)


def spec(backbone: str, strategies: tuple[str, ...], **fields: Any) -> ResolvedSpec:
    training = {"epochs": 2, "min_steps": 0, "batch_size": 16, "precision": "float32"}
    probe = {"max_epochs": 4}
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target"},
            "model": {"backbone": backbone, "params": SMALL[backbone], **fields.pop("model", {})},
            "strategies": [
                {"name": name, "params": probe if name in PROBES else {}} for name in strategies
            ],
            "training": {**training, **fields},
        }
    )
