"""Raw images -> what every backbone sees, as a graph of stock Keras layers.

Training, evaluation and the packaged model share it. Resizing is linear in the pixels, so it is
written as two matrix products: every engine (XLA, ONNX Runtime) computes them alike.
"""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.inputs.image import IMAGE, ImageInputs
from app.spec.training import Augmentation
from worker.inputs import image_views
from worker.inputs.contract import InputLayers, X


class ImageLayers(InputLayers):
    """Pictures (batch, height, width, channels): raw values -> 0..1, of one size."""

    def __init__(self, inputs: ImageInputs, image_size: tuple[int, int] | None) -> None:
        """Makes the layers. Without `image_size` the pictures keep their size."""
        self.preprocessing = build(inputs.shape, inputs.range, image_size)

    def augmented(self, x: X, how: Augmentation, seed: tf.Tensor) -> X:
        if how.mirror:
            x = {IMAGE: image_views.mirrored(x[IMAGE], seed)}
        return super().augmented(x, how, seed)

    def weak(self, x: X, seed: tf.Tensor) -> X:
        return {IMAGE: image_views.weak(x[IMAGE], seed)}

    def strong(self, x: X, seed: tf.Tensor) -> X:
        return {IMAGE: image_views.strong(x[IMAGE], seed)}


def build(
    shape: tuple[int, int, int],
    value_range: tuple[float, float],
    image_size: tuple[int, int] | None,
) -> keras.Model:
    """Raw images (batch, *shape), float32 -> (batch, *image_size, channels), value_range -> 0..1.

    Without `image_size` the images keep their size.
    """
    low, high = value_range
    span = (high - low) or 1.0
    raw = keras.Input(shape, name=IMAGE)
    x = keras.layers.Rescaling(1.0 / span, offset=-low / span, name="rescaling")(raw)
    height, width = image_size or shape[:2]
    if height != shape[0]:
        x = _resize_axis(x, 1, resize_matrix(shape[0], height), "resize_height")
    if width != shape[1]:
        x = _resize_axis(x, 2, resize_matrix(shape[1], width), "resize_width")
    return keras.Model({IMAGE: raw}, {IMAGE: x}, name="preprocessing")


def resize_matrix(size: int, new_size: int) -> NDArray[np.float32]:
    """Linear interpolation as a matrix (new_size, size); its rows sum to 1.

    w_ij ∝ max(0, 1 - |j - c_i| / s), c_i = (i + 1/2) size / new_size - 1/2 (pixel centres),
    s = max(1, size / new_size): shrinking averages over the pixels that it joins.
    """
    ratio = size / new_size
    centres = (np.arange(new_size) + 0.5) * ratio - 0.5
    distance = np.abs(np.arange(size) - centres[:, None])
    weights = np.maximum(0.0, 1.0 - distance / max(1.0, ratio))
    matrix: NDArray[np.float32] = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return matrix


def _resize_axis(
    x: keras.KerasTensor, axis: int, matrix: NDArray[np.float32], name: str
) -> keras.KerasTensor:
    order = [1, 2, 3]
    order[axis - 1], order[2] = order[2], order[axis - 1]  # its own inverse
    x = keras.layers.Permute(order, name=f"{name}_first")(x)
    dense = keras.layers.Dense(len(matrix), use_bias=False, trainable=False, name=name)
    x = dense(x)
    dense.set_weights([matrix.T])
    return keras.layers.Permute(order, name=f"{name}_last")(x)
