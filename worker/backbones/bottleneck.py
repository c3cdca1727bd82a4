"""A narrow linear layer with BatchNorm at a backbone's end: the features that domains share.

As SHOT's digits have it (Liang et al., ICML 2020, arXiv:2002.08546, section 3.1): no ReLU after it.
"""

import keras

from worker.backbones.convnet import NORM_MOMENTUM


def with_bottleneck(backbone: keras.Model, width: int) -> keras.Model:
    """Images -> features (batch, width), by the layers of `backbone` and two more."""
    # BatchNorm has an offset of its own
    x = keras.layers.Dense(width, use_bias=False, name="bottleneck")(backbone.output)
    x = keras.layers.BatchNormalization(momentum=NORM_MOMENTUM, name="bottleneck_norm")(x)
    return keras.Model(backbone.input, x, name=backbone.name)
