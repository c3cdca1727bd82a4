"""The base of the objectives for flawed data: they change what networks learn, not what they
answer.

Outputs stay plain logits: their softmax is served, measured and calibrated.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import tensorflow as tf

from worker.objectives.contract import Objective


@dataclass(frozen=True)
class Wrapped(ABC):
    """An objective of classes that has the loss of another, changed."""

    inner: Objective

    @abstractmethod
    def loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        """Loss of each item, (batch,), float32."""

    def mean_loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        return tf.reduce_mean(self.loss(outputs, y, smoothing))

    def apart(self, teacher: tf.Tensor, outputs: tf.Tensor, temperature: float) -> tf.Tensor:
        return self.inner.apart(teacher, outputs, temperature)

    def activate(self, outputs: tf.Tensor, temperature: float | None = None) -> tf.Tensor:
        return self.inner.activate(outputs, temperature)

    def averaged(self, outputs: tf.Tensor) -> tf.Tensor:
        return self.inner.averaged(outputs)

    def statistic(self, outputs: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return self.inner.statistic(outputs, y)

    @property
    def has_classes(self) -> bool:
        return self.inner.has_classes

    @property
    def statistic_spec(self) -> tuple[tf.DType, int]:
        return self.inner.statistic_spec

    @property
    def label_type(self) -> tf.DType:
        return self.inner.label_type

    @property
    def label_shape(self) -> tuple[int, ...]:
        return self.inner.label_shape


def without_smoothing(name: str, smoothing: float) -> None:
    """Raises ValueError where labels are smoothed under a loss of the label's probability alone."""
    if smoothing:
        raise ValueError(f"expected label_smoothing 0 with {name}, got {smoothing}")
