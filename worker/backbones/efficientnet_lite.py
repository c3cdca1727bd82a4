"""EfficientNet-Lite: inverted residuals with linear bottlenecks, ReLU6, no squeeze-and-excitation.

Tan & Le, ICML 2019, arXiv:1905.11946; the Lite variants are those of TensorFlow's tpu repository.
Pixels 0..1 become (x - 127) / 128 of 0..255, as the ImageNet weights were trained; one channel
becomes three equal ones. Padding is TensorFlow's SAME, BatchNorm's epsilon 1e-3.
"""

from collections.abc import Mapping
from functools import partial

import keras
import numpy as np
from numpy.typing import NDArray

from app.inputs.image import IMAGE
from app.spec.efficientnet_layers import FEATURES, STEM, STEM_SIDE, STEM_STRIDE, Block, blocks
from app.spec.photo_params import EfficientnetLiteParams
from worker.backbones.convnet import NORM_MOMENTUM

EPSILON = 1e-3
MEAN, SCALE, WHITE = 127.0, 128.0, 255.0
Arrays = Mapping[str, NDArray[np.float32]]


def build(params: EfficientnetLiteParams, shape: tuple[int, int, int]) -> keras.Model:
    """Images (batch, *shape), float32 in 0..1 -> features (batch, 1280), float32."""
    images = x = keras.Input(shape, name=IMAGE)
    if shape[2] == 1:
        x = keras.layers.Concatenate(name="colours")([x, x, x])
    x = keras.layers.Rescaling(WHITE / SCALE, offset=-MEAN / SCALE, name="as_trained")(x)
    x = _convolution(x, STEM, STEM_SIDE, STEM_STRIDE, "stem")
    for number, block in enumerate(blocks(params.width, params.depth)):
        x = _inverted_residual(x, block, f"block_{number}")
    x = _convolution(x, FEATURES, 1, 1, "top")
    x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model({IMAGE: images}, x, name=params.name)


def _inverted_residual(x: keras.KerasTensor, block: Block, name: str) -> keras.KerasTensor:
    entry = x
    if block.expansion > 1:
        x = _convolution(x, block.expansion * x.shape[-1], 1, 1, f"{name}_expand")
    depthwise = keras.layers.DepthwiseConv2D(
        block.side, block.stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )
    x = _normed(depthwise(x), f"{name}_depthwise")
    x = _convolution(x, block.channels, 1, 1, f"{name}_project", is_linear=True)
    return keras.layers.Add(name=f"{name}_add")([x, entry]) if block.adds else x


def _convolution(
    x: keras.KerasTensor, filters: int, side: int, stride: int, name: str, is_linear: bool = False
) -> keras.KerasTensor:
    convolution = keras.layers.Conv2D(
        filters, side, stride, padding="same", use_bias=False, name=name
    )
    return _normed(convolution(x), name, is_linear)


def _normed(x: keras.KerasTensor, name: str, is_linear: bool = False) -> keras.KerasTensor:
    norm = keras.layers.BatchNormalization(
        momentum=NORM_MOMENTUM, epsilon=EPSILON, name=f"{name}_norm"
    )
    x = norm(x)
    return x if is_linear else keras.layers.ReLU(max_value=6, name=f"{name}_relu")(x)


def from_torch(params: EfficientnetLiteParams, state: Arrays) -> dict[str, NDArray[np.float32]]:
    """The arrays of a state dictionary of the PyTorch port, by the names of a network's weights
    file (worker/backbones/network.py): `backbone/LAYER/NAME`, and `head/…` for ImageNet's 1,000
    classes. Kernels (out, in, h, w) become (h, w, in, out), depthwise ones (h, w, channels, 1).

    Raises KeyError where an array is missing.
    """
    found: dict[str, NDArray[np.float32]] = {}
    put = partial(_put, found, state)
    put("stem", "_conv_stem", "_bn0")
    for number, block in enumerate(blocks(params.width, params.depth)):
        theirs, ours = f"_blocks.{number}.", f"block_{number}_"
        if block.expansion > 1:
            put(f"{ours}expand", f"{theirs}_expand_conv", f"{theirs}_bn0")
        put(f"{ours}depthwise", f"{theirs}_depthwise_conv", f"{theirs}_bn1", is_depthwise=True)
        put(f"{ours}project", f"{theirs}_project_conv", f"{theirs}_bn2")
    put("top", "_conv_head", "_bn1")
    found["head/logits/kernel"] = state["_fc.weight"].T
    found["head/logits/bias"] = state["_fc.bias"]
    return found


def _put(
    found: dict[str, NDArray[np.float32]],
    state: Arrays,
    layer: str,
    convolution: str,
    norm: str,
    is_depthwise: bool = False,
) -> None:
    axes = (2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0)
    found[f"backbone/{layer}/kernel"] = state[f"{convolution}.weight"].transpose(axes)
    names = {
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    }
    for ours, theirs in names.items():
        found[f"backbone/{layer}_norm/{ours}"] = state[f"{norm}.{theirs}"]
