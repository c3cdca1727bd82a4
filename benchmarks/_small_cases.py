"""Small trainings of every network, task and strategy, for every_network.py."""

from collections.abc import Iterator
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
from app.inputs.text import TEXT, TextInputs, coded
from app.models.schemas import Signature
from app.spec.imported.structure import Structure
from app.spec.spec import ResolvedSpec
from app.spec.strategy_catalogue import CATALOGUE
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from tests.training.trials import trial
from worker.training.data import Domain, Split, cut_validation
from worker.training.items import Items
from worker.training.setup import TrialSetup

ITEMS, BATCH = 60, 16
PROBES = ("linear_probe", "lp_ft")
IMAGE = ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255))
PHOTO = ImageInputs(shape=(32, 32, 3), dtype="uint8", value_range=(0, 255))
NOTE = TextInputs(length=32)
RANGE = np.linspace(-2, 2, 50)
ROW = TableInputs(columns=(NumberColumn.fit("a", RANGE), NumberColumn.fit("b", RANGE)))
JOINED = JoinedInputs(
    parts=(
        JoinedPart(name="front", inputs=IMAGE),
        JoinedPart(name="house", inputs=ROW),
        JoinedPart(name="note", inputs=NOTE),
    )
)
LETTERS: dict[str, Any] = {"embedding": 4, "widths": [2, 3], "filters": 6, "dense": 8}
IMPORTED = Structure.model_validate(
    {
        "input": PHOTO.shape,
        "layers": [
            {"kind": "Conv2D", "filters": 4, "kernel_size": [3, 3], "strides": [2, 2]},
            {"kind": "BatchNormalization"},
            {"kind": "DepthwiseConv2D", "kernel_size": [3, 3]},
            {"kind": "GlobalAveragePooling2D"},
        ],
        "calls": [[place, [place]] for place in range(4)],
    }
)
FEW: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": [12], "dropout": 0.1},
    "convnet": {"filters": [4, 6], "dense": 8, "dropout": 0.1},
    "tabm": {"hidden": [12, 8], "members": 4},
    "ft_transformer": {"width": 8, "blocks": 1, "heads": 2},
    "charconv": LETTERS,
    "fusion": {
        "image": {"filters": [4], "dense": 8},
        "table": {"hidden": [8]},
        "text": LETTERS,
        "width": 16,
        "hidden": [12],
    },
    "imported": {"structure": IMPORTED.written()},
}
OF_MODALITY = {
    "image": (IMAGE, ("mlp", "convnet")),
    "table": (ROW, ("mlp", "tabm", "ft_transformer")),
    "text": (NOTE, ("charconv",)),
    "joined": (JOINED, ("fusion",)),
}
PHOTO_NETWORKS = (
    "mobilenet",
    "efficientnet_lite0",
    "efficientnet_lite1",
    "efficientnet_lite2",
    "efficientnetv2_b0",
)
SETTINGS: dict[str, dict[str, Any]] = {
    "strong views": {"augmentation": {"strength": "strong"}},
    "adamw": {
        "optimizer": "adamw",
        "schedule": "cosine",
        "warmup_epochs": 1,
        "weight_decay": 0.01,
        "gradient_clip_norm": 1.0,
        "label_smoothing": 0.1,
        "ema_momentum": 0.9,
    },
    "sgd": {"optimizer": "sgd"},
    "bfloat16": {"precision": "mixed_bfloat16"},
}
FLAWS: dict[str, dict[str, Any]] = {
    "class weights": {"imbalance": "class_weights"},
    "logit adjustment": {"imbalance": "logit_adjustment"},
    "focal": {"imbalance": "focal"},
    "gce": {"label_noise": "gce"},
}


def tensors_of(inputs: Any, level: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Made-up items (n) of such inputs, in which `level` (n,), 0 to 1, shows."""
    n = len(level)
    if isinstance(inputs, ImageInputs):
        noise = rng.integers(0, 100, (n, *inputs.shape))
        return {"image": (noise + 150 * level[:, None, None, None]).astype(np.uint8)}
    if isinstance(inputs, TableInputs):
        row = np.stack([4 * level - 2, rng.normal(size=n)], axis=1)
        row[rng.random(row.shape) < 0.1] = np.nan
        return {"row": row.astype(np.float32)}
    if isinstance(inputs, TextInputs):
        words = ["awful", "bad", "fair", "good", "superb"]
        said = [f"it was {words[int(4 * value)]} {rng.integers(9)}" for value in level]
        return {TEXT: coded(said, inputs.length)}
    of_parts = {
        f"{part.name}.{name}": values
        for part in inputs.parts
        for name, values in tensors_of(part.inputs, level, rng).items()
    }
    return of_parts | {"front.present": (rng.random(n) > 0.1).astype(np.float32)}


def domain_of(inputs: Any, kind: str, seed: int, items: int = ITEMS) -> Domain:
    rng = np.random.default_rng(seed)
    level = rng.random(items)
    task: Task
    counts: tuple[int, ...] = (items,)
    if kind == "classes":
        y = (3 * level).astype(np.int32)
        task, counts = Classification(classes=("low", "middle", "high")), tuple(np.bincount(y))
    elif kind == "quantity":
        y = level.astype(np.float32)
        task = Regression(mean=float(y.mean()), std=float(y.std()))
    else:
        y = np.stack([level > 0.3, level > 0.6], axis=1).astype(np.int32)
        task = MultiLabel(labels=("some", "much"))
    strata = y if kind == "classes" else np.zeros(items, np.int32)
    training, validation = cut_validation(strata, 0.1, 0)
    split = Split.stored(Items.of(tensors_of(inputs, level, rng)), y)
    schema = Schema(
        inputs=inputs,
        task=task,
        splits={"train": items, "test": 0},
        class_counts={"train": counts, "test": tuple(0 for _ in counts)},
    )
    return Domain(schema, split.select(training), split.select(validation))


def spec_of(backbone: str, strategy: str, fields: dict[str, Any], **model: Any) -> ResolvedSpec:
    flaws = {name: fields[name] for name in ("imbalance", "label_noise") if name in fields}
    training = {name: value for name, value in fields.items() if name not in flaws}
    probe = {"max_epochs": 4} if strategy in PROBES else {}
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target"},
            "model": {"backbone": backbone, "params": FEW.get(backbone, {}), **model},
            "strategies": [{"name": strategy, "params": probe}],
            "training": {
                "epochs": 2,
                "min_steps": 0,
                "batch_size": BATCH,
                "augmentation": None,
                **training,
            },
            **flaws,
        }
    )


class Case:
    """A training: a strategy of a network on made-up data."""

    def __init__(
        self,
        backbone: str,
        inputs: Any,
        kind: str = "classes",
        arm: str = "scratch",
        fields: tuple[str, dict[str, Any]] = ("", {}),
        has_unlabelled: bool = False,
    ) -> None:
        self.arm, self._inputs, self._kind = arm, inputs, kind
        self._unlabelled = has_unlabelled
        said = [
            "photos" * (inputs is PHOTO) or inputs.modality,
            backbone,
            kind,
            arm,
            fields[0],
            "beside" * has_unlabelled,
        ]
        self.name = " ".join(filter(None, said))
        narrow = {"bottleneck": 6} if arm in CATALOGUE else {}  # for those that need BatchNorm
        strategy = arm if arm in CATALOGUE else "fine_tune"
        self._spec = spec_of(backbone, strategy, fields[1], **narrow)

    def setups(self, folder: Path) -> Iterator[TrialSetup]:
        """The trial, after the pretraining that it starts from, whose weights it expects."""
        target, source = (domain_of(self._inputs, self._kind, seed) for seed in (0, 1))
        weights = folder / "source.npz"
        if self.arm in CATALOGUE:
            yield trial("pretrain", self._spec, target=source, source=source)
        made = trial(self.arm, self._spec, target=target, source=source)
        if self.arm in CATALOGUE:
            made = replace(made, source_weights=weights, shares_classes=True)
        if self._unlabelled:
            made = replace(made, unlabelled=target.train.without_labels())
        yield made

    def sample(self) -> dict[str, np.ndarray]:
        target = domain_of(self._inputs, self._kind, 0)
        return target.train.items.read()

    def signature(self) -> Signature:
        return Signature(
            inputs=self._inputs, task=domain_of(self._inputs, self._kind, 0).schema.task
        )


def cases(slow: bool) -> Iterator[Case]:
    if slow:
        for backbone in PHOTO_NETWORKS:
            yield Case(backbone, PHOTO)
    for inputs, backbones in OF_MODALITY.values():
        for backbone in backbones:
            for kind in ("classes", "quantity", "labels"):
                yield Case(backbone, inputs, kind)
        for name, entry in CATALOGUE.items():
            if "pairs" in entry.needs:  # their target is a part of the source's items
                continue
            yield Case(backbones[-1], inputs, arm=name)
            if "classification" not in entry.needs:
                yield Case(backbones[-1], inputs, "quantity", name)
            if entry.takes_unlabelled:
                yield Case(backbones[0], inputs, arm=name, has_unlabelled=True)
        for fields in SETTINGS.items():
            yield Case(backbones[0], inputs, fields=fields)
    for fields in FLAWS.items():
        yield Case("mlp", IMAGE, fields=fields)
    yield Case("imported", PHOTO)
    yield Case("imported", PHOTO, arm="linear_probe")
    yield Case("tabm", ROW, fields=("hidden columns", {"hidden_columns": 0.5}))
    yield Case("fusion", JOINED, fields=("hidden parts", {"hidden_parts": 0.3}))
