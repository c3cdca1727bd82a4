"""Keras's optimizers, as a phase asks for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from worker.strategies.recipe import Group, Optimization
from worker.training.checkpoint import Backend


class FusedAdam(keras.optimizers.Adam):  # type: ignore[misc]  # Keras has no types
    """Adam by TensorFlow's one kernel, where nothing else would fuse Keras's dozen operations.

    The same update (Kingma & Ba, arXiv:1412.6980, the form before section 2.1), up to rounding.
    """

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def optimizer_of(how: Optimization, group: Group, backend: Backend) -> keras.optimizers.Optimizer:
    shared: dict[str, Any] = {"weight_decay": how.weight_decay or None}  # decoupled in both
    if how.ema_momentum is not None:
        shared |= {"use_ema": True, "ema_momentum": how.ema_momentum}
    rate = float(group.learning_rate)
    optimizer: keras.optimizers.Optimizer
    match how.optimizer:
        case "adam" | "adamw":  # with weight decay Keras's Adam is AdamW
            adam = keras.optimizers.Adam if backend == "xla" else FusedAdam
            optimizer = adam(rate, **shared)
        case "sgd":
            optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, **shared)
    optimizer.build(list(group.variables))
    return optimizer


@contextmanager
def averaging(how: Optimization, optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Lets a step inside move the weights' averages with the momentum that the phase asks for.

    min(m, (1 + t) / (10 + t)) where it warms up, t the steps before: an average of a thousand steps
    would hold on to where a phase of some hundred began (tf.train.ExponentialMovingAverage).
    """
    if not how.ema_warms_up or how.ema_momentum is None:
        yield
        return
    steps = tf.cast(optimizer.iterations.value, tf.float32)
    optimizer.ema_momentum = tf.minimum(how.ema_momentum, (1 + steps) / (10 + steps))
    try:
        yield
    finally:
        optimizer.ema_momentum = how.ema_momentum
