"""Networks as people have trained them elsewhere, saved by Keras; and archives that were tampered
with."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import layers

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
CLASSES = ["cat", "dog", "eel"]


def shaken(model: keras.Model, seed: int = 0) -> keras.Model:
    """With weights that are no longer those of a fresh network, statistics of BatchNorm too."""
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        is_adapted = variable.path.startswith("normalization")  # what it learnt is fixed by then
        if "seed" not in variable.path and not is_adapted and variable.dtype.startswith("float"):
            noise = rng.uniform(0.02, 0.1, variable.shape)
            variable.assign(variable.numpy() + noise)
    return model


def plane() -> keras.Model:
    """Takes (height, width) pixels 0..255, as the first tutorial has it."""
    return shaken(
        keras.Sequential(
            [
                layers.Input((6, 5)),
                layers.Rescaling(1 / 255),
                layers.Flatten(),
                layers.Dense(7, activation="relu", kernel_regularizer="l2"),
                layers.Dropout(0.2),
                layers.Dense(3, activation="softmax"),
            ]
        )
    )


def nested() -> keras.Model:
    """A Functional network around a Sequential one with BatchNorm, of two classes by a sigmoid."""
    base = keras.Sequential(
        [
            layers.Input((None, None, 3)),
            layers.Conv2D(4, 3, strides=2, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.SeparableConv2D(6, 3, padding="same"),
        ]
    )
    pictures = keras.Input((12, 12, 3))
    normalise = layers.Normalization()
    normalise.adapt(np.random.default_rng(0).uniform(0, 1, (50, 12, 12, 3)))
    x = base(normalise(layers.GaussianNoise(0.1)(pictures)), training=False)
    y = layers.Conv2D(6, 3, padding="same", activation="relu")(x)
    x = layers.Add()([x, y])
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Multiply()([x, layers.Dense(6, activation="sigmoid")(gate)])
    x = layers.GlobalAveragePooling2D()(layers.Concatenate()([x, y]))
    return shaken(keras.Model(pictures, layers.Dense(1, activation="sigmoid")(x)))


def shared() -> keras.Model:
    """One layer that is called twice, and a padding around."""
    pictures = keras.Input((4, 4, 1))
    convolution = layers.Conv2D(1, 3, padding="same", activation="tanh")
    x = convolution(convolution(layers.ZeroPadding2D(1)(pictures)))
    x = layers.LayerNormalization()(layers.MaxPooling2D()(x))
    x = layers.PReLU(shared_axes=[1, 2])(layers.Cropping2D(0)(x))
    x = layers.Reshape((9,))(x)
    return shaken(keras.Model(pictures, layers.Dense(3)(x)))


def saved(model: keras.Model, path: Path) -> Path:
    model.save(path)
    return path


def spec(**members: Any) -> dict[str, Any]:
    """Of `plane`, where nothing else is said."""
    inputs = {"expects": [0, 255], **members.pop("inputs", {})}
    return {"name": "n", "inputs": inputs, "classes": CLASSES, **members}


def tampered(
    source: Path,
    target: Path,
    config: Callable[[Any], Any] = lambda config: config,
    metadata: Mapping[str, Any] | None = None,
    weights: Callable[[h5py.File], None] | None = None,
) -> Path:
    """The archive with another config, with members of its metadata, with changed weights."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    changed = config(json.loads(members[CONFIG]))
    members[CONFIG] = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
    if metadata is not None:
        members[METADATA] = json.dumps(metadata).encode()
    if weights is not None:
        file = target.with_suffix(".h5")
        file.write_bytes(members[WEIGHTS])
        with h5py.File(file, "r+") as opened:
            weights(opened)
        members[WEIGHTS] = file.read_bytes()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target
