"""Share of BatchNorm's moving statistics that stays when a batch is seen in training."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.backbones.convnet import NORM_MOMENTUM
from worker.backbones.network import Network


@contextmanager
def norm_momentum(network: Network, momentum: tf.Tensor | float) -> Iterator[None]:
    """Calls of the backbone inside make of each moving statistic m and the batch's b
    momentum m + (1 - momentum) b. `momentum`: scalar, 0..1.
    """
    before = [layer.momentum for layer in network.norms]
    for layer in network.norms:
        layer.momentum = momentum
    try:
        yield
    finally:
        for layer, own in zip(network.norms, before, strict=True):
            layer.momentum = own


def corrected_momentum(steps: NDArray[np.integer]) -> NDArray[np.float32]:
    """Momenta with which a moving average forgets where it started.

    b_t = b (1 - b^t) / (1 - b^(t+1)),  b = NORM_MOMENTUM

    so that after step t the average is sum_s b^(t-s) x_s / sum_s b^(t-s) over the steps 0..t alone:
    Adam's correction for the start (Kingma & Ba, ICLR 2015, arXiv:1412.6980, section 3), written as
    a momentum.

    Args:
        steps: t, counted from 0 since the phase began, (n,).

    Returns:
        (n,), 0 for t = 0.
    """
    power = NORM_MOMENTUM ** steps.astype(np.float64)
    corrected = NORM_MOMENTUM * (1 - power) / (1 - NORM_MOMENTUM * power)
    return np.asarray(corrected, np.float32)
