"""What asking costs: a whole job against one naive run of pretraining plus fine-tuning.

    python -m benchmarks.evidence

The job: MNIST to the letters A to M, MLP 784-256, batch 64, 10 epochs each, 5 seeds of scratch and
fine_tune, report, ONNX graph, deployment; from the POST to `succeeded` over HTTP, by `ktl up` in a
fresh data folder each time. Its worker has imported TensorFlow and has trained nothing yet, so all
compilation is counted; start-up and uploads are not. Once with one pretraining for all seeds, once
with one a seed.

The naive run: the Keras tutorial's program (tf.data, model.fit), alone in its process, without its
imports and its reading of files. It trains on all items; the job holds a tenth out and validates
every epoch on them. Medians of the rounds; ratios below 1: the job takes less time. Takes about
five minutes. Data: KTL_TEST_DATA or ../shared/data, else noisy patterns of the same shapes.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read when numpy is loaded
    os.environ.pop(name, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402  after the environment

from tests.system.service import running  # noqa: E402

ROUNDS = 3
SEEDS, EPOCHS, BATCH, HIDDEN = 5, 10, 64, 256
RATE = 1e-3
OWN = {"KTL_DATABASE_URL": "", "KTL_BROKER_URL": "", "KTL_STORAGE_URL": ""}  # of the data folder
WANTED = {"evidence_vs_one_naive_run": 0.5, "evidence_per_seed_pretraining": 1.0}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        home = Path(folder)
        files, origin = datasets(home)
        print(f"{origin}; medians of {ROUNDS} rounds")
        rounds = []
        for number in range(ROUNDS):
            rounds.append(naive_run(files))
            for pretrainings in (1, SEEDS):
                workdir = home / f"{number} {pretrainings}"
                workdir.mkdir()
                rounds[-1] |= job(files, workdir, pretrainings)
    figures = {name: statistics.median(found[name] for found in rounds) for name in rounds[0]}
    naive = figures["naive_run_seconds"]
    ratios = {
        "evidence_vs_one_naive_run": figures["job_seconds"] / naive,
        "evidence_per_seed_pretraining": figures["job_per_seed_pretraining_seconds"] / naive,
    }
    for name, value in figures.items():
        print(f"  {name:44}{value:8.3f}")
    for name, value in ratios.items():
        print(f"  {name:44}{value:8.3f}   wanted: <= {WANTED[name]:g}")
    result = {"ratios": rounded(ratios), "figures": rounded(figures)}
    print(json.dumps({"benchmark": "evidence", **result}))


def job(files: list[Path], folder: Path, pretrainings: int) -> dict[str, float]:
    """Seconds from the POST to the end, and what the arms reach on the letters' test items."""
    with running(folder, **OWN) as service:
        client = service.client
        source, target = (client.datasets.wait(client.datasets.upload([f]).id).id for f in files)
        spec: dict[str, Any] = {
            "sources": [{"dataset": source}],
            "target": {"dataset": target},
            "model": {"backbone": "mlp", "params": {"hidden": [HIDDEN]}},
            "strategies": ["fine_tune"],
            "training": {
                "epochs": EPOCHS,
                "batch_size": BATCH,
                "learning_rate": RATE,
                "augmentation": None,
            },
            "evaluation": {"seeds": SEEDS, "pretrain_seeds": pretrainings},
            "deploy": {"name": "letters", "when": "always"},
        }
        began = time.perf_counter()
        ended = client.jobs.wait(client.jobs.submit(spec).id)
        seconds = time.perf_counter() - began
        report = client.jobs.report(ended.id)
        if ended.deployment is None or ended.trials != {"succeeded": pretrainings + 2 * SEEDS}:
            raise RuntimeError(f"expected every trial and a deployment, got {ended.trials}")
    name = "job" if pretrainings == 1 else "job_per_seed_pretraining"
    return {
        f"{name}_seconds": seconds,
        f"{name}_training_seconds": report.seconds,
        **{
            f"{name}_{arm}_accuracy": found.metrics["accuracy"].mean
            for arm, found in report.arms.items()
        },
    }


def naive_run(files: list[Path]) -> dict[str, float]:
    # Keras warns that it shuffles no tf.data.Dataset.
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.evidence", *map(str, files)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(answer.stdout.splitlines()[-1]))


def run_naively(source: Path, target: Path) -> dict[str, float]:
    import keras
    import tensorflow as tf

    with np.load(source) as digits, np.load(target) as letters:
        x_source, y_source = digits["x_train"] / np.float32(255), digits["y_train"]
        x_target, y_target = letters["x_train"] / np.float32(255), letters["y_train"]
        x_test, y_test = letters["x_test"] / np.float32(255), letters["y_test"]

    def fit(model: Any, x: Any, y: Any) -> None:
        model.compile(
            optimizer=keras.optimizers.Adam(RATE),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(10_000).batch(BATCH)
        model.fit(data, epochs=EPOCHS, verbose=0)

    began = time.perf_counter()
    backbone = keras.Sequential(
        [
            keras.Input(x_source.shape[1:]),
            keras.layers.Flatten(),
            keras.layers.Dense(HIDDEN, activation="relu"),
        ]
    )
    fit(keras.Sequential([backbone, keras.layers.Dense(10)]), x_source, y_source)
    model = keras.Sequential([backbone, keras.layers.Dense(13)])
    fit(model, x_target, y_target)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    return {"naive_run_seconds": time.perf_counter() - began, "naive_run_accuracy": accuracy}


def datasets(folder: Path) -> tuple[list[Path], str]:
    """MNIST's .npz and the letters', and where they come from."""
    names = ("mnist.npz", "emnist_letters_a_to_m.npz")
    stored = [Path(os.environ.get("KTL_TEST_DATA", "../shared/data")) / name for name in names]
    if all(path.exists() for path in stored):
        return stored, "MNIST to EMNIST letters A to M"
    made = [folder / name for name in names]
    for path, classes, train, test in zip(
        made, (10, 13), (60_000, 8000), (10_000, 2000), strict=True
    ):
        rng = np.random.default_rng(classes)
        patterns = rng.integers(0, 128, (classes, 28, 28), dtype=np.uint8)
        arrays: dict[str, Any] = {}
        for split, items in (("train", train), ("test", test)):
            y = np.arange(items) % classes
            noise = rng.integers(0, 128, (items, 28, 28), dtype=np.uint8)
            arrays |= {f"x_{split}": patterns[y] + noise, f"y_{split}": y}
        np.savez(path, **arrays)
    return made, "noisy patterns"


def rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(run_naively(Path(sys.argv[1]), Path(sys.argv[2]))))
    else:
        main()
