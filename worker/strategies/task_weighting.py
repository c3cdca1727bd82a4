"""Weighting of the losses of tasks that are learnt together.

equal        L = sum_i L_i
             Caruana, Machine Learning 28, 1997
uncertainty  L = sum_i L_i / (2 e^{s_i}) + s_i / 2, s_i learnt
             Kendall, Gal & Cipolla, CVPR 2018, arXiv:1705.07115, section 3.2
famo         L = sum_i z_i log D_i / c, z = softmax(w), D_i = L_i + 1e-8, c = sum_i z_i / D_i held
             constant; after the step, with D' on the same batch, w takes a step of Adam on
             J^T (log D - log D'), J the Jacobian of softmax at w
             Liu, Feng, Stone & Liu, NeurIPS 2023, arXiv:2306.03792, algorithm 1
pcgrad       L = sum_i L_i, but conflicting gradients are projected: gradient_surgery.py
"""

from typing import Literal

import keras
import tensorflow as tf

Name = Literal["equal", "uncertainty", "famo", "pcgrad"]
FIRST_LOG_VARIANCE = -0.5
FAMO_RATE, FAMO_DECAY = 0.025, 0.01
SMALL = 1e-8


class Equal(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    def total(self, losses: tf.Tensor) -> tf.Tensor:
        """losses (tasks,) -> scalar"""
        return tf.reduce_sum(losses)


class Uncertainty(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """s_i, the logarithm of each task's variance."""

    def __init__(self, tasks: int) -> None:
        super().__init__(name="uncertainty")
        first = keras.initializers.Constant(FIRST_LOG_VARIANCE)
        self.log_variances = self.add_weight(
            shape=(tasks,), initializer=first, name="log_variances"
        )

    def total(self, losses: tf.Tensor) -> tf.Tensor:
        s = self.log_variances.value
        return tf.reduce_sum(losses / (2 * tf.exp(s)) + s / 2)


class Famo(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """w and its Adam; `total` remembers the losses that `learn` compares with."""

    def __init__(self, tasks: int) -> None:
        super().__init__(name="famo")
        self.w, self._mean, self._square, self._before = (
            self.add_weight(shape=(tasks,), initializer="zeros", trainable=False, name=name)
            for name in ("w", "mean", "square", "before")
        )
        self._step = self.add_weight(shape=(), initializer="zeros", trainable=False, name="step")

    def total(self, losses: tf.Tensor) -> tf.Tensor:
        self._before.assign(losses)
        z, d = tf.nn.softmax(self.w.value), losses + SMALL
        c = tf.stop_gradient(tf.reduce_sum(z / d))
        return tf.reduce_sum(z * tf.math.log(d)) / c

    def learn(self, losses: tf.Tensor) -> None:
        """`losses`: on the same batch, after the step."""
        delta = tf.math.log(self._before.value + SMALL) - tf.math.log(losses + SMALL)
        z = tf.nn.softmax(self.w.value)
        gradient = z * (delta - tf.reduce_sum(z * delta)) + FAMO_DECAY * self.w.value
        self._step.assign_add(1.0)
        self._mean.assign(0.9 * self._mean.value + 0.1 * gradient)
        self._square.assign(0.999 * self._square.value + 0.001 * gradient**2)
        mean = self._mean.value / (1 - 0.9**self._step.value)
        square = self._square.value / (1 - 0.999**self._step.value)
        self.w.assign_sub(FAMO_RATE * mean / (tf.sqrt(square) + 1e-8))


Weighting = Equal | Uncertainty | Famo


def weighting_of(name: Name, tasks: int) -> Weighting:
    match name:
        case "equal" | "pcgrad":
            return Equal()
        case "uncertainty":
            return Uncertainty(tasks)
        case "famo":
            return Famo(tasks)
