"""Methods of the library adapt on digits, in a process of their own.

python -m benchmarks._adapt DIRECTION
"""

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._digits import (
    BATCH,
    CLASSES,
    DIRECTIONS,
    HELD_OUT,
    HIDDEN,
    METHODS,
    NETWORK,
    SEEDS,
    SIZE,
    Direction,
)


def run_library(way: Direction) -> dict[str, tuple[list[float], list[float]]]:
    """Method -> accuracies and seconds of fit(), a seed each."""
    source, target = map(Images, way.files)
    found: dict[str, tuple[list[float], list[float]]] = {}
    for method in ("dann", "cdan", "mcd"):
        for seed in range(SEEDS):
            outcome = fit(method, seed, source, target, way.library_epochs)
            for values, value in zip(found.setdefault(method, ([], [])), outcome, strict=True):
                values.append(value)
    return found


class Images:
    """As the job's network sees them: (n, 16, 16, 1), float32, 0..1; labels (n,)."""

    def __init__(self, file: Path) -> None:
        with np.load(file) as stored:
            self.x, self.y = self._seen(stored["x_train"]), stored["y_train"]
            self.x_test, self.y_test = self._seen(stored["x_test"]), stored["y_test"]

    def _seen(self, raw: NDArray[np.uint8]) -> Any:
        from worker.inputs.image import build

        network = build((*raw.shape[1:], 1), (0.0, 255.0), SIZE)
        images = {"image": raw[..., None].astype(np.float32)}
        return network.predict(images, batch_size=1000, verbose=0)["image"]


def fit(method: str, seed: int, source: Images, target: Images, epochs: int) -> tuple[float, float]:
    """One of adapt's methods: accuracy on the target's test items, seconds of fit()."""
    import keras

    from worker.backbones import convnet
    from worker.strategies.discriminator import discriminator_of

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    rows_s, rows_t = (
        rng.permutation(len(domain.x))[round(HELD_OUT * len(domain.x)) :]
        for domain in (source, target)
    )
    features, images = NETWORK.params.dense, keras.Input((*SIZE, 1))
    encoder = convnet.build(NETWORK.params, (*SIZE, 1))
    parts: dict[str, Any] = {
        "encoder": keras.Model(images, encoder({"image": images})),
        "task": keras.Sequential(
            [keras.Input((features,)), keras.layers.Dense(CLASSES, "softmax")]
        ),
    }
    if method in METHODS:  # MCD has a second task network instead
        judge = discriminator_of(features * (CLASSES if method == "cdan" else 1), HIDDEN)
        parts["discriminator"] = keras.Model(judge.input, keras.ops.sigmoid(judge.output))
    methods: Any = importlib.import_module("adapt.feature_based")
    model = getattr(methods, method.upper())(
        **parts,
        Xt=target.x[rows_t],
        loss="categorical_crossentropy",
        optimizer=keras.optimizers.Adam(1e-3),
        random_state=seed,
        verbose=0,
    )
    x, y = source.x[rows_s], np.eye(CLASSES, dtype=np.float32)[source.y[rows_s]]
    began = time.perf_counter()
    model.fit(x, y, epochs=epochs, batch_size=BATCH, verbose=0)
    seconds = time.perf_counter() - began
    predicted = model.predict(target.x_test, batch_size=1000).argmax(1)
    return float(np.mean(predicted == target.y_test)), seconds


if __name__ == "__main__":
    print(json.dumps(run_library(DIRECTIONS[sys.argv[1]])))
