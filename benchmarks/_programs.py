"""Programs of Keras and PyTorch that this engine's training stands beside, and their images."""

import os
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

BATCH, CLASSES, EPOCHS = 64, 10, 3

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int32]
# -> seconds of each epoch, and the accuracy on the test images after the last
Outcome = tuple[list[float], float]


class Images:
    """(n, 28, 28, 1) and (n,) for training and for the test."""

    def __init__(self) -> None:
        path = Path(os.environ.get("KTL_TEST_DATA", "../shared/data")) / "mnist.npz"
        self.origin = "MNIST" if path.exists() else "random pixels"
        if path.exists():
            with np.load(path) as stored:
                x, y, x_test, y_test = (
                    stored[name] for name in ("x_train", "y_train", "x_test", "y_test")
                )
        else:
            rng = np.random.default_rng(0)
            x, y = rng.integers(0, 256, (60_000, 28, 28), np.uint8), rng.integers(0, 10, 60_000)
            x_test, y_test = x[:10_000], y[:10_000]
        self.x, self.y = x[..., None], y.astype(np.int32)
        self.x_test, self.y_test = x_test[..., None], y_test.astype(np.int32)


def classical(kind: str, images: Images, items: int, seed: int) -> Outcome:
    """The tutorial's program."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    body = {
        "mlp": [layers.Flatten(), layers.Dense(256, "relu")],
        "convnet": [
            *(
                layer
                for filters in (32, 64)
                for layer in (
                    layers.Conv2D(filters, 3, padding="same", use_bias=False),
                    layers.BatchNormalization(momentum=0.9),
                    layers.ReLU(),
                    layers.MaxPooling2D(),
                )
            ),
            layers.Flatten(),
            layers.Dense(128, "relu"),
        ],
    }[kind]
    model = keras.Sequential([keras.Input((28, 28, 1)), *body, layers.Dense(CLASSES)])
    compile_classifier(model)
    x = images.x[:items].astype("float32") / 255
    seconds = fit(model, x, images.y[:items], 1 + EPOCHS)
    test = images.x_test.astype("float32") / 255
    return seconds, accuracy(model.predict(test, batch_size=1000, verbose=0), images.y_test)


def compile_classifier(model: keras.Model) -> None:
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


def fit(model: keras.Model, x: Any, y: Labels, epochs: int) -> list[float]:
    """Seconds of each epoch."""
    seconds: list[float] = []
    began = [0.0]
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: began.__setitem__(0, time.perf_counter()),
        on_epoch_end=lambda epoch, logs: seconds.append(time.perf_counter() - began[0]),
    )
    data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(10_000).batch(BATCH)
    model.fit(data, epochs=epochs, verbose=0, shuffle=False, callbacks=[clock])
    return seconds


def torch_eager(kind: str, images: Images, items: int, seed: int) -> Outcome:
    torch: Any = __import__("torch")
    nn: Any = torch.nn
    torch.manual_seed(seed)
    x, y = torch.from_numpy(images.x[:items]).permute(0, 3, 1, 2).float() / 255, images.y[:items]
    test = torch.from_numpy(images.x_test).permute(0, 3, 1, 2).float() / 255
    if kind == "mlp":
        body = [nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, CLASSES)]
        model = nn.Sequential(*body)
    else:
        body = []
        for channels, filters in ((1, 32), (32, 64)):
            convolution = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
            body += [convolution, nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
        body += [nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU(), nn.Linear(128, CLASSES)]
        model = nn.Sequential(*body).to(memory_format=torch.channels_last)
        x, test = (part.contiguous(memory_format=torch.channels_last) for part in (x, test))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    labels, seconds = torch.from_numpy(y).long(), []
    for _ in range(1 + EPOCHS):
        began = time.perf_counter()
        for rows in torch.randperm(len(y)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), labels[rows]).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - began)
    model.eval()
    with torch.no_grad():
        return seconds, accuracy(model(test).numpy(), images.y_test)


def accuracy(outputs: NDArray[np.float32], y: Labels) -> float:
    return float((outputs.argmax(1) == y).mean())
