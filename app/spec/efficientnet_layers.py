"""The layers of EfficientNet-Lite (Tan & Le, ICML 2019, arXiv:1905.11946, table 1, without its
squeeze-and-excitation and with ReLU6 in place of swish). worker/backbones builds what stands here.
"""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from app.spec.mobilenet_layers import rounded
from app.spec.network_size import Layers, Shape

STEM, FEATURES = 32, 1280  # channels: of the first layer and of the last, whatever the width
STEM_SIDE, STEM_STRIDE = 3, 2
# Side of the kernel, stride of the first, expansion, channels, repetitions.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


class Block(NamedTuple):
    """An inverted residual: a 1x1 convolution that widens, a depthwise one, a 1x1 one back."""

    side: int
    stride: int
    expansion: int
    channels: int  # that come out
    adds: bool  # what went in


def blocks(width: float, depth: float) -> Iterator[Block]:
    """The blocks in their order. `width` scales channels, `depth` the repetitions of all stages
    but the first and the last."""
    before = STEM
    for number, (side, stride, expansion, channels, repetitions) in enumerate(STAGES):
        is_scaled = 0 < number < len(STAGES) - 1
        after = rounded(channels * width)
        for repetition in range(ceil(repetitions * depth) if is_scaled else repetitions):
            step = 1 if repetition else stride
            yield Block(side, step, expansion, after, step == 1 and before == after)
            before = after


def efficientnet_lite(shape: Shape, width: float, depth: float) -> Layers:
    """Layers from an image to the features."""
    layers = Layers((shape[0], shape[1], 3))
    layers.write()  # pixels 0..1 become what the weights were trained on
    layers.activated_convolution(STEM, STEM_SIDE, STEM_STRIDE)
    for block in blocks(width, depth):
        if block.expansion > 1:
            layers.activated_convolution(block.expansion * layers.channels, 1)
        layers.depthwise_convolution(block.side, block.stride)
        layers.norm()
        layers.write()
        layers.convolution(block.channels, 1)
        layers.norm()
        if block.adds:
            layers.write()
    layers.activated_convolution(FEATURES, 1)
    layers.average()
    return layers


def multiplications(shape: Shape, width: float, depth: float) -> int:
    """Multiplications for one image up to the features: 3.9e8 at width and depth 1 and 224x224."""
    height, across, channels = -(-shape[0] // STEM_STRIDE), -(-shape[1] // STEM_STRIDE), STEM
    total = height * across * STEM_SIDE**2 * 3 * STEM
    for block in blocks(width, depth):
        inner = block.expansion * channels
        if block.expansion > 1:
            total += height * across * channels * inner
        height, across = -(-height // block.stride), -(-across // block.stride)
        total += height * across * inner * (block.side**2 + block.channels)
        channels = block.channels
    return total + height * across * channels * FEATURES
