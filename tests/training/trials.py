"""Small trials for tests: images whose class shows in their pixels."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.spec.backbones import Backbone
from app.spec.figures import Conditions
from app.spec.plan import Role
from app.spec.spec import ResolvedSpec
from app.spec.strategy_catalogue import CATALOGUE
from app.tasks.classification import Classification
from worker.backbones.network import Architecture
from worker.strategies import seeds_distill
from worker.strategies.registry import RECIPES
from worker.training.checkpoint import Checkpoint
from worker.training.data import Domain, Split, cut_validation
from worker.training.items import Items
from worker.training.setup import EpochRecord, Signal, TrialSetup
from worker.trials.engine_setup import engine_setup

SHAPE = (8, 8, 1)
# Those that learn from pairs want items of several parts: tests/training/pairs.py
STRATEGIES = tuple(name for name, entry in CATALOGUE.items() if "pairs" not in entry.needs)
OF_PAIRS = tuple(name for name in CATALOGUE if name not in STRATEGIES)
OF_TRIALS = tuple(name for name in RECIPES if name not in {*OF_PAIRS, seeds_distill.NAME})
PROBES = ("linear_probe", "lp_ft")
STEPLESS = ("adabn", "recalibrate", "linear_coral")
SMALL = {"mlp": {"hidden": [12]}, "convnet": {"filters": [4], "dense": 8}}
DROPOUT = {"mlp": {"hidden": [12], "dropout": 0.3}, "convnet": {**SMALL["convnet"], "dropout": 0.3}}


def schema(classes: int, items: int, shape: tuple[int, int, int] = SHAPE) -> Schema:
    return Schema(
        inputs=ImageInputs(shape=shape, dtype="uint8", value_range=(0, 255)),
        task=Classification(classes=tuple(f"class {label}" for label in range(classes))),
        splits={"train": items, "test": 0},
        class_counts={"train": (items // classes,) * classes, "test": (0,) * classes},
    )


def architecture(
    model: Backbone,
    shape: tuple[int, int, int] = SHAPE,
    value_range: tuple[float, float] = (0, 255),
    classes: int = 3,
) -> Architecture:
    inputs = ImageInputs(shape=shape, dtype="uint8", value_range=value_range)
    return Architecture(model, inputs, Classification(classes=("",) * classes).nameless)


def pictures(x: np.ndarray, y: np.ndarray) -> Split:
    """Images (n, height, width, channels) and labels (n,), -1 where there are none."""
    return Split.stored(Items.of({"image": x}), y)


def images_of(split: Split) -> np.ndarray:
    """(n, height, width, channels)"""
    return split.items.read()["image"]


def domain(
    classes: int = 3, items: int = 45, shape: tuple[int, int, int] = SHAPE, seed: int = 0
) -> Domain:
    """Noise with one bright row a class; 40 of 45 items are for training."""
    rng = np.random.default_rng(seed)
    y = (np.arange(items) % classes).astype(np.int32)
    x = rng.integers(0, 120, (items, *shape), dtype=np.uint8)
    x[np.arange(items), y % shape[0]] += 90
    train, validation = cut_validation(y, 0.1, seed)
    split = pictures(x, y)
    return Domain(schema(classes, items, shape), split.select(train), split.select(validation))


def spec(
    backbone: str = "mlp",
    params: dict[str, Any] | None = None,
    image_size: tuple[int, int] | None = None,
    max_epochs: int = 4,
    head_tolerance: float = 1e-3,
    strategies: Sequence[str] = STRATEGIES,
    bottleneck: int | None = None,
    **training: Any,
) -> ResolvedSpec:
    """With `fine_tune` alone among the strategies, scratch has the same epochs."""
    probe = {"max_epochs": max_epochs, "tolerance": head_tolerance}
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target"},
            "model": {
                "backbone": backbone,
                "params": SMALL[backbone] if params is None else params,
                "image_size": image_size,
                "bottleneck": bottleneck,
            },
            "strategies": [
                {"name": name, "params": probe if name in PROBES else {}} for name in strategies
            ],
            "training": {
                "epochs": 2,
                "min_steps": 0,
                "batch_size": 16,
                "precision": "float32",
                **training,
            },
        }
    )


def trial(
    arm: str,
    spec: ResolvedSpec,
    seed: int = 1,
    target: Domain | None = None,
    source: Domain | None = None,
    source_weights: Path | None = None,
) -> TrialSetup:
    roles: dict[str, Role] = {"pretrain": "pretrain", "scratch": "baseline"}
    source = source or SOURCE
    strategy = spec.arms[arm].strategy if arm in spec.arms else None
    return replace(
        engine_setup(spec, roles.get(arm, "transfer"), strategy, seed, target or DOMAIN),
        source=source,
        source_classes=len(source.schema.classes),
        source_weights=source_weights,
    )


DOMAIN = domain()
SOURCE = domain(items=54, seed=3)


class Recorder:
    """A journal that keeps what it is told; `signal` is asked with the number of the poll."""

    def __init__(self, signal: Callable[[int], Signal | None] = lambda poll: None) -> None:
        self._signal = signal
        self.polls = 0
        self.records: list[EpochRecord] = []
        self.progress: list[float] = []
        self.moves: list[float] = []
        self.snapshots: list[Checkpoint] = []
        self.conditions: list[Conditions] = []

    def signal(self) -> Signal | None:
        self.polls += 1
        return self._signal(self.polls)

    def epoch_ended(
        self,
        records: list[EpochRecord],
        progress: float,
        snapshot: Callable[[], Checkpoint],
    ) -> None:
        self.records += records
        self.progress.append(progress)
        self.snapshots.append(snapshot())

    def computed_by(self, conditions: Conditions) -> None:
        self.conditions.append(conditions)

    def moved(self, progress: float) -> None:
        self.moves.append(progress)


def timeless(records: list[EpochRecord]) -> list[tuple[Any, ...]]:
    """The records without their seconds."""
    return [
        (
            record.phase,
            record.phase_index,
            record.epoch,
            record.split,
            {name: value for name, value in record.values.items() if name != "seconds"},
        )
        for record in records
    ]
