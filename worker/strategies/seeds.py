"""Random numbers that a checkpoint can go on with."""

import keras
import tensorflow as tf


class Seeds(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A row of seeds that follows from the trial's own; a companion of the phase that draws them.

    The variable's name is what worker/backbones/initialisation.py knows such a state by.
    """

    def __init__(self) -> None:
        super().__init__(name="seeds")
        self._state = self.add_weight(
            shape=(2,),
            initializer="zeros",
            dtype="int64",
            trainable=False,
            name="seed_generator_state",
        )

    def draw(self) -> tf.Tensor:
        """(2,), int64, for counter_random: another one with each call."""
        seed = tf.identity(self._state.value)
        self._state.assign_add([0, 1])
        return seed
