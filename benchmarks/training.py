"""Seconds of training: this engine against the classical Keras program and PyTorch.

    python -m benchmarks.training            (all), or: mlp, convnet, frozen

mlp      MLP 784-256-10, batch 64, Adam 1e-3: an epoch of 60,000 images.
convnet  conv32-conv64-dense128 with BatchNorm, batch 64: an epoch of 12,800 images.
frozen   MobileNetV2 (width .35, 96x96, frozen) and a new head, 10 epochs of 4,000 images: our
         linear probe against a Keras program that has the frozen backbone in its graph. The probe's
         features are computed once; the process has trained such a network before, from other
         weights on other images.

Images: MNIST from KTL_TEST_DATA or ../shared/data if it is there, else random pixels. Medians of
several epochs after one that warms up, and the programs take turns; the ratios are theirs over ours
(higher: ours is faster). `augmented`: ours with strongly changed images, an epoch without them over
one with. On whatever device TensorFlow finds, which is named first. PyTorch is left out where it is
not installed. After the same epochs all have the same test accuracy within the spread of the seeds,
which the table shows.
"""

import importlib.util
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read when numpy is loaded
    os.environ.pop(name, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from worker.machine.gpus import prepare_environment  # noqa: E402  it loads no TensorFlow

prepare_environment(os.environ)

import keras  # noqa: E402  after the environment
import numpy as np  # noqa: E402

from app.datasets.schemas import Schema  # noqa: E402
from app.inputs.image import ImageInputs  # noqa: E402
from app.spec.figures import Conditions  # noqa: E402
from app.spec.spec import ResolvedSpec  # noqa: E402
from app.tasks.classification import Classification  # noqa: E402
from benchmarks._programs import (  # noqa: E402
    BATCH,
    CLASSES,
    EPOCHS,
    Images,
    Labels,
    Outcome,
    Pixels,
    accuracy,
    classical,
    compile_classifier,
    fit,
    torch_eager,
)
from worker.backbones.network import Architecture, Network  # noqa: E402
from worker.machine.device import this_device  # noqa: E402
from worker.training.checkpoint import Checkpoint  # noqa: E402
from worker.training.data import Domain, Split  # noqa: E402
from worker.training.items import Items  # noqa: E402
from worker.training.predict import outputs_of  # noqa: E402
from worker.training.run import train  # noqa: E402
from worker.training.setup import EpochRecord, Signal, TrialSetup  # noqa: E402
from worker.trials.engine_setup import engine_setup  # noqa: E402

ROUNDS = 3
CONVNET_ITEMS, FROZEN_ITEMS, FROZEN_EPOCHS = 12_800, 4_000, 10
MODELS: dict[str, dict[str, Any]] = {
    "mlp": {"backbone": "mlp", "params": {"hidden": [256]}},
    "convnet": {"backbone": "convnet", "params": {"filters": [32, 64], "dense": 128}},
    "frozen": {"backbone": "mobilenet", "params": {"width": 0.35}},
}
WANTED = {
    "mlp_vs_keras_fit": 6,
    "mlp_vs_torch": 3.5,
    "convnet_vs_best": 1.2,
    "mlp_augmented": 0.5,
    "convnet_augmented": 0.5,
    "frozen_backbone_vs_keras_fit": 20,
}


class Epochs:
    """A journal that keeps the epochs' seconds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def signal(self) -> Signal | None:
        return None

    def computed_by(self, conditions: Conditions) -> None:
        pass

    def moved(self, progress: float) -> None:
        pass

    def epoch_ended(
        self, records: list[EpochRecord], progress: float, snapshot: Callable[[], Checkpoint]
    ) -> None:
        self.seconds += [r.values["seconds"] for r in records if r.split == "train"]


def setup(
    kind: str, x: Pixels, y: Labels, epochs: int, seed: int, arm: str, **training: Any
) -> TrialSetup:
    spec = ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target"},
            "model": MODELS[kind],
            "strategies": [
                {"name": "linear_probe", "params": {"max_epochs": epochs, "tolerance": 1e-9}}
            ],
            "training": {
                "epochs": epochs,
                "batch_size": BATCH,
                "learning_rate": 1e-3,
                "augmentation": None,
                **training,
            },
        }
    )
    domain = domain_of(x, y, CLASSES)
    role: Any = "baseline" if arm == "scratch" else "transfer"
    return engine_setup(
        spec, role, spec.arms[arm].strategy if arm in spec.arms else None, seed, domain
    )


def domain_of(x: Pixels, y: Labels, classes: int) -> Domain:
    """All for training, nothing held out."""
    schema = Schema(
        inputs=ImageInputs(shape=x.shape[1:], dtype="uint8", value_range=(0, 255)),
        task=Classification(classes=tuple(map(str, range(classes)))),
        splits={"train": len(y)},
        class_counts={"train": tuple(np.bincount(y, minlength=classes).tolist())},
    )
    split = Split.stored(Items.of({"image": x}), y)
    return Domain(schema, split, split.select(np.empty(0, np.int64)))


def ours(kind: str, images: Images, items: int, seed: int, **training: Any) -> Outcome:
    journal = Epochs()
    x, y = images.x[:items], images.y[:items]
    network = train(setup(kind, x, y, 1 + EPOCHS, seed, "scratch", **training), journal)
    return journal.seconds, accuracy(
        outputs_of(network, Items.of({"image": images.x_test})), images.y_test
    )


def augmented(kind: str, images: Images, items: int, seed: int) -> Outcome:
    """Ours, with strongly changed images."""
    return ours(kind, images, items, seed, augmentation={"strength": "strong"})


def epochs_of(kind: str, images: Images, items: int) -> dict[str, float]:
    """Median seconds an epoch of each program; prints them with their accuracies."""
    programs = {"ours": ours, "augmented": augmented, "keras_fit": classical}
    if importlib.util.find_spec("torch"):
        programs["torch"] = torch_eager
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    scores: dict[str, list[float]] = {name: [] for name in programs}
    for seed in range(ROUNDS):  # in turns: what else the machine does falls on all of them
        for name, program in programs.items():
            epochs, score = program(kind, images, items, seed)
            seconds[name] += epochs[1:]
            scores[name].append(score)
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    print(f"{kind}: {items} images ({images.origin}), batch {BATCH}, {ROUNDS} x {EPOCHS} epochs")
    for name, found in medians.items():
        spread = " ".join(f"{score:.4f}" for score in scores[name])
        factor = found / medians["ours"]
        print(f"  {name:10} {found:6.3f} s an epoch  {factor:5.2f} x ours  accuracy {spread}")
    return medians


def frozen(images: Images) -> tuple[float, float]:
    """Seconds of our linear probe's ten epochs, and of Keras's."""
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(images.y))[:FROZEN_ITEMS]
    small = np.repeat(np.repeat(images.x[chosen], 4, axis=1), 4, axis=2)[:, 8:104, 8:104]
    x, y = np.repeat(small, 3, axis=3), images.y[chosen]
    probe = setup("frozen", x, y, FROZEN_EPOCHS, 0, "linear_probe")
    source = Network(Architecture.of(probe.model, probe.target.schema))
    mine = []
    with TemporaryDirectory() as folder:
        for seed in (1, 0):
            source.initialise(seed)
            for _ in range(40):  # BatchNorm's statistics become those of images
                source.features({"image": x[:BATCH]}, training=True)
            weights = Path(folder) / f"{seed}.npz"
            source.save_weights(weights)
            rows = x[::-1] if seed else x
            trial = setup("frozen", rows, y, FROZEN_EPOCHS, seed, "linear_probe")
            began = time.perf_counter()
            train(replace(trial, source_weights=weights), Epochs())
            mine.append(time.perf_counter() - began)

    backbone = keras.applications.MobileNetV2(
        (96, 96, 3), alpha=0.35, include_top=False, weights=None, pooling="avg"
    )
    backbone.set_weights(source.backbone.get_weights())
    backbone.trainable = False
    layers = keras.layers
    inputs = keras.Input((96, 96, 3))
    features = backbone(layers.Rescaling(1 / 127.5, -1)(inputs), training=False)
    model = keras.Model(inputs, layers.Dense(CLASSES)(features))
    compile_classifier(model)
    fit(model, x[:256], y[:256], 1)
    theirs = sum(fit(model, x, y, FROZEN_EPOCHS))
    print(f"frozen: {FROZEN_ITEMS} images of 96x96, MobileNetV2 .35, {FROZEN_EPOCHS} epochs")
    print(f"  ours       {mine[1]:6.2f} s  (the process's first: {mine[0]:.2f} s)")
    print(f"  keras_fit  {theirs:6.2f} s  {theirs / mine[1]:5.1f} x ours")
    return mine[1], theirs


def main() -> None:
    wanted = sys.argv[1:] or list(MODELS)
    images, device = Images(), this_device()
    print(f"on {device.name}")
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {}
    for kind, items in (("mlp", len(images.y)), ("convnet", CONVNET_ITEMS)):
        if kind not in wanted:
            continue
        medians = epochs_of(kind, images, items)
        figures |= {f"{kind}_epoch_seconds_{name}": found for name, found in medians.items()}
        ratios[f"{kind}_augmented"] = medians["ours"] / medians.pop("augmented")
        others = {
            name: found / medians["ours"] for name, found in medians.items() if name != "ours"
        }
        if kind == "mlp":
            ratios |= {f"mlp_vs_{name}": factor for name, factor in others.items()}
        else:
            ratios["convnet_vs_best"] = min(others.values())
    if "frozen" in wanted:
        mine, theirs = frozen(images)
        ratios["frozen_backbone_vs_keras_fit"] = theirs / mine
        figures |= {"frozen_seconds_ours": mine, "frozen_seconds_keras_fit": theirs}
    for name, ratio in ratios.items():
        print(f"{name:30} {ratio:5.2f}  (wanted {WANTED[name]})")
    found = {"device": device.name, "ratios": ratios, "figures": figures}
    print(json.dumps({"benchmark": "training", **found}))


if __name__ == "__main__":
    main()
