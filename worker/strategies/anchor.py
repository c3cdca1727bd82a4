"""Weights as they were at a moment, to be stayed close to."""

from collections.abc import Sequence

import keras
import tensorflow as tf


class Anchor(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Holds one value for each of the variables it was made for; `settle` takes theirs of now."""

    def __init__(self, variables: Sequence[keras.Variable]) -> None:
        super().__init__(name="anchor")
        self._values = [
            self.add_weight(
                shape=variable.shape, initializer="zeros", trainable=False, name=f"value_{number}"
            )
            for number, variable in enumerate(variables)
        ]

    def settle(self, variables: Sequence[keras.Variable]) -> None:
        for value, variable in zip(self._values, variables, strict=True):
            value.assign(variable.numpy())

    def squared_distance(self, variables: Sequence[keras.Variable]) -> tf.Tensor:
        """sum over all weights of (w - w0)^2, a scalar."""
        return tf.add_n(
            [
                tf.reduce_sum(tf.square(variable.value - value.value))
                for value, variable in zip(self._values, variables, strict=True)
            ]
        )
