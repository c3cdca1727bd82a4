"""The fused BatchNorm is the stock one: values, gradients, moving statistics."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from app.spec.network_params import ConvnetParams
from worker.backbones import convnet
from worker.backbones.fused_norm import fused_norms
from worker.backbones.initialisation import Initialiser


@pytest.mark.parametrize("training", [False, True])
def test_a_convnet_with_fused_norms(training: bool) -> None:
    model = convnet.build(ConvnetParams(filters=(4, 8), dense=5), (9, 8, 2))
    initialiser = Initialiser(model.variables)
    x = np.random.default_rng(1).normal(size=(6, 9, 8, 2)).astype("float32")

    def run() -> tuple[list[np.ndarray], list[np.ndarray]]:
        initialiser.initialise(0)
        with tf.GradientTape() as tape:
            y = model({"image": x}, training=training)
            loss = tf.reduce_mean(y**2)
        gradients = tape.gradient(loss, model.trainable_variables)
        return [y.numpy(), *map(np.asarray, gradients)], [v.numpy() for v in model.variables]

    expected, variables = run()
    with fused_norms(model):
        got, fast_variables = run()
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    for one, other in zip(fast_variables, variables, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_frozen_statistics_stay_and_the_stock_layers_come_back() -> None:
    model = convnet.build(ConvnetParams(filters=(4,), dense=5), (8, 8, 1))
    norm = next(x for x in model.layers if isinstance(x, keras.layers.BatchNormalization))
    norm.trainable = False
    x = np.random.default_rng(1).normal(size=(6, 8, 8, 1)).astype("float32")
    stock = type(norm).call
    with fused_norms(model):
        assert getattr(norm.call, "func", None) is not None
        model({"image": x}, training=True)
    assert norm.call.__func__ is stock
    assert not norm.moving_mean.numpy().any()
