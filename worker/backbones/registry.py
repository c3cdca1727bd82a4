"""The families of backbones by the names of app.spec.backbones.CATALOGUE."""

from collections.abc import Callable
from typing import Any

import keras

from worker.backbones import convnet, mlp, mobilenet

# (the family's params, (height, width, channels)) -> a model from images to features
BUILDERS: dict[str, Callable[[Any, tuple[int, int, int]], keras.Model]] = {
    "mlp": mlp.build,
    "convnet": convnet.build,
    "mobilenet": mobilenet.build,
}
