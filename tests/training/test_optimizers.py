"""Each optimizer's first steps against its paper's equations, in numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from worker.strategies.recipe import Group, Optimization
from worker.training.checkpoint import Backend
from worker.training.optimizers import optimizer_of

GRADIENTS = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
START = np.array([0.5, -1.0, 2.0], np.float32)


def steps(how: Optimization, backend: Backend = "plain") -> tuple[np.ndarray, list[np.ndarray]]:
    variable = keras.Variable(START)
    optimizer = optimizer_of(how, Group((variable,), 0.1), backend)

    @tf.function(jit_compile=backend == "xla", autograph=False)
    def step(gradient: tf.Tensor) -> None:
        optimizer.apply([gradient], [variable])

    path = []
    for gradient in GRADIENTS:
        step(tf.constant(gradient))
        path.append(variable.numpy())
    optimizer.finalize_variable_values([variable])
    return variable.numpy(), path


@pytest.mark.parametrize("backend", ["plain", "xla"])
@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam(name: str, decay: float, backend: Backend) -> None:
    w, m, v, expected = START.astype(np.float64), np.zeros(3), np.zeros(3), []
    for t, g in enumerate(GRADIENTS, 1):
        w = w * (1 - 0.1 * decay)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
        expected.append(w)
    _, path = steps(Optimization(optimizer=name, weight_decay=decay), backend)
    np.testing.assert_allclose(path, expected, rtol=2e-5)


def test_sgd_with_nesterov_momentum() -> None:
    w, velocity, expected = START.astype(np.float64), np.zeros(3), []
    for g in GRADIENTS:
        velocity = 0.9 * velocity - 0.1 * g
        w = w + 0.9 * velocity - 0.1 * g
        expected.append(w)
    _, path = steps(Optimization(optimizer="sgd"))
    np.testing.assert_allclose(path, expected, rtol=1e-5)


def test_the_moving_average() -> None:
    average, path = steps(Optimization(ema_momentum=0.6))
    expected = path[0]
    for weights in path[1:]:
        expected = 0.6 * expected + 0.4 * weights
    np.testing.assert_allclose(average, expected, rtol=1e-5)
