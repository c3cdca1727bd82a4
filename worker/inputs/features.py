"""Features of a frozen encoder in the graph: backbones see them as they are.

Views leave some of them out, as Dropout does (Srivastava et al., JMLR 2014): what is left is
multiplied so that sums stay as large. What a text says stands in many features at once. Where
features are tokens, those that are left out become padding, and no text loses its first one.
"""

import keras
import tensorflow as tf

from app.inputs.features import FEATURES
from worker.inputs.contract import InputLayers, X
from worker.inputs.counter_random import uniform

WEAK, STRONG = 0.1, 0.3  # chances of a feature to be left out


class FeaturesLayers(InputLayers):
    def __init__(self, shape: tuple[int], pad_id: int | None = None) -> None:
        """Features (batch, *shape), float32."""
        features = keras.Input(shape, name=FEATURES)
        seen = keras.layers.Identity(name="centred")(features)
        self.preprocessing = keras.Model({FEATURES: features}, {FEATURES: seen})
        self._pad_id = pad_id

    def weak(self, x: X, seed: tf.Tensor) -> X:
        return {FEATURES: self._without(x[FEATURES], WEAK, seed)}

    def strong(self, x: X, seed: tf.Tensor) -> X:
        return {FEATURES: self._without(x[FEATURES], STRONG, seed)}

    def _without(self, features: tf.Tensor, chance: float, seed: tf.Tensor) -> tf.Tensor:
        if self._pad_id is None:
            return _without_some(features, chance, seed)
        shape = tf.shape(features)
        is_kept = uniform((shape[0], shape[1]), seed) >= chance
        is_kept |= tf.range(shape[1])[None] == 0
        return tf.where(is_kept, features, float(self._pad_id))


def _without_some(features: tf.Tensor, chance: float, seed: tf.Tensor) -> tf.Tensor:
    shape = tf.shape(features)
    is_kept = uniform((shape[0], shape[1]), seed) >= chance
    return tf.where(is_kept, features / (1.0 - chance), 0.0)
