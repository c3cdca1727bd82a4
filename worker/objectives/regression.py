"""Squared error of standardised labels: l_i = (z_i - (y_i - mean) / std)²."""

from dataclasses import dataclass

import keras
import tensorflow as tf


@dataclass(frozen=True)
class QuantityObjective:
    """Labels are quantities in the user's unit, float32; outputs standardised, (batch, 1).

    `mean`, `std`: of the training labels, which the network's answers are given back by.
    """

    mean: float
    std: float

    def loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        """Raises ValueError for a smoothing: it mixes classes, and there are none."""
        if smoothing:
            raise ValueError(f"expected label_smoothing 0 of a quantity, got {smoothing}")
        return tf.square(self._error(outputs, y))

    def mean_loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        return tf.reduce_mean(self.loss(outputs, y, smoothing))

    def apart(self, teacher: tf.Tensor, outputs: tf.Tensor, temperature: float) -> tf.Tensor:
        """The squared difference, in standard deviations. There is no temperature."""
        return tf.square(teacher[:, 0] - outputs[:, 0])

    def activate(self, outputs: tf.Tensor, temperature: float | None = None) -> tf.Tensor:
        """Answers in the user's unit. There is no temperature."""
        return self.mean + self.std * outputs

    def averaged(self, outputs: tf.Tensor) -> tf.Tensor:
        return keras.ops.mean(outputs, axis=0)

    def statistic(self, outputs: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The absolute and the squared error in standard deviations, (batch, 2)."""
        error = self._error(outputs, y)
        return tf.stack([tf.abs(error), tf.square(error)], axis=1)

    @property
    def has_classes(self) -> bool:
        return False

    @property
    def statistic_spec(self) -> tuple[tf.DType, int]:
        return tf.float32, 2

    @property
    def label_type(self) -> tf.DType:
        return tf.float32

    @property
    def label_shape(self) -> tuple[int, ...]:
        return ()

    def _error(self, outputs: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """(batch,)"""
        return outputs[:, 0] - (y - self.mean) / self.std
