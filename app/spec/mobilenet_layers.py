"""The layers of MobileNetV2 as Keras builds them (Sandler et al., CVPR 2018, table 2)."""

from app.spec.network_size import Layers, Shape

# Expansion, channels, repetitions, stride of the first.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def mobilenet(shape: Shape, width: float) -> Layers:
    """Layers from an image to the features, its channels times `width`."""
    layers = Layers((shape[0], shape[1], 3))
    layers.write()  # pixels 0..1 become -1..1
    layers.activated_convolution(rounded(32 * width), 3, stride=2)
    for expansion, channels, repetitions, stride in STAGES:
        for number in range(repetitions):
            before, after = layers.channels, rounded(int(channels * width))
            step = 1 if number else stride
            if expansion > 1:
                layers.activated_convolution(expansion * before, 1)
            layers.depthwise_convolution(3, step)
            layers.norm()
            layers.write()
            layers.convolution(after, 1)
            layers.norm()
            if step == 1 and before == after:
                layers.write()  # what went in is added
    layers.activated_convolution(rounded(1280 * width) if width > 1 else 1280, 1)
    layers.average()
    return layers


def rounded(channels: float) -> int:
    """Rounds to a multiple of 8, and not down by more than a tenth."""
    found = max(8, int(channels + 4) // 8 * 8)
    return found + 8 if found < 0.9 * channels else found
