"""Texts in the graph: backbones see the code points as they are stored."""

import keras
import tensorflow as tf

from app.inputs.text import TEXT, TextInputs
from worker.inputs import text_views
from worker.inputs.contract import InputLayers, X


class TextLayers(InputLayers):
    def __init__(self, inputs: TextInputs) -> None:
        """Code points (batch, length), int32."""
        codes = keras.Input((inputs.length,), name=TEXT, dtype="int32")
        seen = keras.layers.Identity(name="codes")(codes)
        self.preprocessing = keras.Model({TEXT: codes}, {TEXT: seen}, name="preprocessing")

    def weak(self, x: X, seed: tf.Tensor) -> X:
        return {TEXT: text_views.weak(x[TEXT], seed)}

    def strong(self, x: X, seed: tf.Tensor) -> X:
        return {TEXT: text_views.strong(x[TEXT], seed)}
