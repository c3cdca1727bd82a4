"""Seconds an epoch and a trial: this engine against the classical Keras program (and PyTorch).

    python -m benchmarks.training

MLP 784-256-10, batch 64, Adam 1e-3. An epoch: 60,000 images (MNIST from KTL_TEST_DATA or
../shared/data if it is there, else random pixels). A few-label trial: 130 images, 50 epochs.
The figures are medians; the ratios are theirs over ours (higher: ours is faster).
"""

import importlib.util
import json
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read when numpy is loaded
    os.environ.pop(name, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402  after the environment
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from app.datasets.schemas import Schema  # noqa: E402
from app.jobs.spec import ResolvedSpec  # noqa: E402
from worker.training.checkpoint import Checkpoint  # noqa: E402
from worker.training.data import Domain, Split  # noqa: E402
from worker.training.run import train  # noqa: E402
from worker.training.setup import EpochRecord, Signal, TrialSetup  # noqa: E402

BATCH, CLASSES = 64, 10
REPEATS = 3
FEW_ITEMS, FEW_EPOCHS, OUR_TRIALS, KERAS_TRIALS = 130, 50, 20, 4

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int32]


def mnist() -> tuple[Pixels, Labels, str]:
    """(60000, 28, 28, 1), (60000,) and where they come from."""
    path = Path(os.environ.get("KTL_TEST_DATA", "../shared/data")) / "mnist.npz"
    if path.exists():
        with np.load(path) as stored:
            return stored["x_train"][..., None], stored["y_train"].astype(np.int32), "MNIST"
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (60_000, 28, 28, 1), dtype=np.uint8)
    return x, rng.integers(0, CLASSES, 60_000).astype(np.int32), "random pixels"


class Epochs:
    """A journal that keeps the epochs' seconds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def signal(self) -> Signal | None:
        return None

    def epoch_ended(
        self, records: list[EpochRecord], progress: float, snapshot: Callable[[], Checkpoint]
    ) -> None:
        self.seconds.append(records[0].values["seconds"])


def ours(x: Pixels, y: Labels, epochs: int, seed: int = 0) -> list[float]:
    """Seconds of each epoch."""
    spec = ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target"},
            "model": {"backbone": "mlp", "params": {"hidden": [256]}},
            "strategies": [{"name": "fine_tune"}],
            "evaluation": {"seeds": OUR_TRIALS},  # so many trials share what is compiled
            "training": {"epochs": epochs, "batch_size": BATCH, "learning_rate": 1e-3},
        }
    )
    counts = tuple(np.bincount(y, minlength=CLASSES).tolist())
    schema = Schema(
        modality="image",
        task="classification",
        shape=(28, 28, 1),
        dtype="uint8",
        value_range=(0, 255),
        classes=tuple(map(str, range(CLASSES))),
        splits={"train": len(y)},
        class_counts={"train": counts},
    )
    split = Split(x, y)
    nothing = split.select(np.empty(0, np.int64))
    journal = Epochs()
    train(TrialSetup(spec, "baseline", None, seed, Domain(schema, split, nothing)), journal)
    return journal.seconds


def classical(x: Pixels, y: Labels, epochs: int) -> list[float]:
    """The tutorial's program: seconds of each epoch."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(CLASSES),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    data = tf.data.Dataset.from_tensor_slices((x.astype("float32") / 255, y))
    seconds: list[float] = []
    began = [0.0]
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: began.__setitem__(0, time.perf_counter()),
        on_epoch_end=lambda epoch, logs: seconds.append(time.perf_counter() - began[0]),
    )
    model.fit(data.shuffle(10_000).batch(BATCH), epochs=epochs, verbose=0, callbacks=[clock])
    return seconds


def torch_eager(x: Pixels, y: Labels, epochs: int) -> list[float]:
    torch: Any = __import__("torch")
    model = torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(784, 256),
        torch.nn.ReLU(),
        torch.nn.Linear(256, CLASSES),
    )
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    images, labels = torch.from_numpy(x.astype("float32") / 255), torch.from_numpy(y).long()
    seconds = []
    for _ in range(epochs):
        began = time.perf_counter()
        for rows in torch.randperm(len(y)).split(BATCH):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - began)
    return seconds


def timed(trial: Callable[[], object]) -> float:
    began = time.perf_counter()
    trial()
    return time.perf_counter() - began


def main() -> None:
    x, y, origin = mnist()
    print(f"60,000 images ({origin}), MLP 784-256-10, batch {BATCH}, medians of {REPEATS} epochs")
    programs = {"ours": ours, "keras_fit": classical}
    if importlib.util.find_spec("torch"):
        programs["torch"] = torch_eager
    # The first epoch of each warms up: it compiles, allocates, measures.
    epoch = {
        name: statistics.median(program(x, y, 1 + REPEATS)[1:])
        for name, program in programs.items()
    }
    for name, seconds in epoch.items():
        print(f"  {name:10} {seconds:6.3f} s an epoch   {seconds / epoch['ours']:5.1f} x ours")

    few = np.random.default_rng(0).permutation(len(y))[:FEW_ITEMS]
    x, y = x[few], y[few]
    first = timed(partial(ours, x, y, FEW_EPOCHS))
    rest = [timed(partial(ours, x, y, FEW_EPOCHS, seed)) for seed in range(1, OUR_TRIALS)]
    mine = (first + sum(rest)) / OUR_TRIALS
    theirs = statistics.mean(
        timed(partial(classical, x, y, FEW_EPOCHS)) for _ in range(KERAS_TRIALS)
    )
    print(f"{OUR_TRIALS} trials of {FEW_ITEMS} images, {FEW_EPOCHS} epochs, compilation included")
    print(f"  ours       {mine:6.3f} s a trial (first {first:.2f}, median of the rest ", end="")
    print(f"{statistics.median(rest):.3f})")
    print(f"  keras_fit  {theirs:6.3f} s a trial   {theirs / mine:5.1f} x ours")

    ratios = {f"mlp_vs_{name}": epoch[name] / epoch["ours"] for name in programs if name != "ours"}
    ratios["few_label_trials_vs_keras_fit"] = theirs / mine
    figures = {f"mlp_epoch_seconds_{name}": seconds for name, seconds in epoch.items()}
    figures |= {
        "few_label_trial_seconds_ours": mine,
        "few_label_first_trial_seconds_ours": first,
        "few_label_trial_seconds_keras_fit": theirs,
    }
    print(json.dumps({"benchmark": "training", "ratios": ratios, "figures": figures}))


if __name__ == "__main__":
    main()
