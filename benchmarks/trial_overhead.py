"""What a trial costs besides its training, and many small trials against as many Keras fits.

    python -m benchmarks.trial_overhead

1. Lease to first step: jobs of few-label trials (MLP 784-256, 10 labels per class, scratch and
   fine_tune) through `ktl up`. The worker is warm: a job of the same kind came before. The moment
   of the first step is not recorded; a trial's whole time (claim to end) less the seconds of its
   epochs and validations is all else that it costs: before the first step the claim, data, weights,
   after the last the test, the storing of weights and predictions. So it is an upper bound.
2. 100 trials of 130 images, 50 epochs, in the engine, one process, compilation included; the Keras
   tutorial's program does 10 such fits, and its time for 100 is ten times theirs.

About a minute. Data: the letters A to M in KTL_TEST_DATA or ../shared/data, else noisy patterns.
"""

import json
import os
import statistics
import tempfile
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

from app.client import Client  # noqa: E402
from app.spec.spec import ResolvedSpec  # noqa: E402
from benchmarks._reports import succeeded  # noqa: E402
from benchmarks.evidence import OWN, datasets  # noqa: E402
from benchmarks.training import Epochs, domain_of  # noqa: E402
from tests.system.service import running  # noqa: E402
from worker.training.data import few_labels  # noqa: E402
from worker.training.run import train  # noqa: E402
from worker.trials.engine_setup import engine_setup  # noqa: E402

CLASSES, LABELS_PER_CLASS = 13, 10  # 130 images
BATCH, EPOCHS, RATE = 64, 50, 1e-3
SEEDS, JOBS = 10, 3
TRIALS, FITS = 100, 10
WANTED = {"lease_to_first_step_p50_seconds": 0.3, "few_label_trials_vs_keras_fit": 10}
SPEC: dict[str, Any] = {
    "model": {"backbone": "mlp", "params": {"hidden": [256]}},
    "strategies": [{"name": "fine_tune"}],
    "training": {
        "epochs": EPOCHS,
        "min_steps": 0,
        "pretrain_epochs": 1,
        "batch_size": BATCH,
        "learning_rate": RATE,
        "augmentation": None,
    },
}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        (_, letters), origin = datasets(Path(folder))
        waits = lease_to_first_step(letters, Path(folder))
        with np.load(letters) as arrays:
            rows = few_labels(arrays["y_train"], LABELS_PER_CLASS, 0)
            x, y = arrays["x_train"][rows][..., None], arrays["y_train"][rows].astype(np.int32)
    ours = [timed(partial(engine_trial, x, y, seed)) for seed in range(TRIALS)]
    fits = [timed(partial(keras_fit, x, y)) for _ in range(FITS)]
    keras_seconds = TRIALS * statistics.mean(fits)
    figures = {
        "lease_to_first_step_p50_seconds": float(np.percentile(waits, 50)),
        "lease_to_first_step_p90_seconds": float(np.percentile(waits, 90)),
        "engine_100_trials_seconds": sum(ours),
        "engine_first_trial_seconds": ours[0],
        "engine_trial_p50_seconds": statistics.median(ours),
        "keras_100_fits_seconds": keras_seconds,
        "keras_fit_p50_seconds": statistics.median(fits),
    }
    ratios = {"few_label_trials_vs_keras_fit": keras_seconds / sum(ours)}
    print(f"{origin}: {len(waits)} trials through the service, {TRIALS} in the engine, {FITS} fits")
    for name, value in {**figures, **ratios}.items():
        wanted = WANTED.get(name)
        sign = ">=" if name in ratios else "<="
        print(f"  {name:36}{value:8.3f}" + (f"   wanted: {sign} {wanted:g}" if wanted else ""))
    result = {"ratios": rounded(ratios), "figures": rounded(figures)}
    print(json.dumps({"benchmark": "trial_overhead", **result}))


def lease_to_first_step(letters: Path, folder: Path) -> list[float]:
    """Seconds of each trial of the jobs after the first."""
    with running(folder, **OWN) as service:
        client = service.client
        dataset = client.datasets.wait(client.datasets.upload([letters]).id).id
        spec = {
            **SPEC,
            "sources": [{"dataset": dataset}],
            "target": {"dataset": dataset, "labels_per_class": LABELS_PER_CLASS},
            "evaluation": {"seeds": SEEDS},
        }
        _, *job_ids = [succeeded(client, spec) for _ in range(1 + JOBS)]
        return [wait for job_id in job_ids for wait in waits_of(client, job_id)]


def waits_of(client: Client, job_id: str) -> list[float]:
    epochs = {found.id: found.epochs for found in client.jobs.metrics(job_id).trials}
    waits = []
    for trial in client.jobs.trials(job_id):
        if trial.role == "pretrain":
            continue
        if trial.started_at is None or trial.ended_at is None:
            raise RuntimeError(f"expected {trial.id} to have ended")
        trained = sum(epoch["seconds"] for epoch in epochs[trial.id])
        waits.append((trial.ended_at - trial.started_at).total_seconds() - trained)
    return waits


def engine_trial(x: NDArray[np.uint8], y: NDArray[np.int32], seed: int) -> None:
    spec = ResolvedSpec.model_validate(
        {
            **SPEC,
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target"},
            "evaluation": {"seeds": TRIALS},  # so many share what is compiled
        }
    )
    train(engine_setup(spec, "baseline", None, seed, domain_of(x, y, CLASSES)), Epochs())


def keras_fit(x: NDArray[np.uint8], y: NDArray[np.int32]) -> None:
    """The tutorial's program."""
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            keras.layers.Flatten(),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(CLASSES),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    data = tf.data.Dataset.from_tensor_slices((x / np.float32(255), y))
    model.fit(data.shuffle(10_000).batch(BATCH), epochs=EPOCHS, verbose=0, shuffle=False)


def timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


if __name__ == "__main__":
    main()
