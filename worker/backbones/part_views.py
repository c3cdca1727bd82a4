"""Late fusion asked about some parts of items, at the price of one pass through their networks."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from app.inputs.joined_part import PRESENT
from worker.inputs.contract import X

Said = Mapping[str, tf.Tensor]  # (batch, width) of each part


class PartViews:
    """The halves of a backbone of worker/backbones/fusion.py, which share its layers: the networks
    of the parts, and what gathers them."""

    def __init__(self, backbone: keras.Model, projection: str) -> None:
        """`projection`: with which the names of the layers end that bring parts to one width."""
        ends = {layer.name: layer for layer in backbone.layers if layer.name.endswith(projection)}
        names = [
            name.removesuffix(f".{PRESENT}")
            for name in backbone.input
            if name.endswith(f".{PRESENT}")
        ]
        said = {name: ends[name + projection].output for name in names if name + projection in ends}
        self.parts = tuple(said)
        self._flags = {name: f"{name}.{PRESENT}" for name in said}
        flags = [backbone.input[flag] for flag in self._flags.values()]
        self._said = keras.Model(backbone.input, said)
        self._gathered = keras.Model([*said.values(), *flags], backbone.output)

    def said(self, x: X, training: bool) -> Said:
        """Items as a backbone takes them -> what the network of each part says."""
        found: Said = self._said(dict(x), training=training)
        return found

    def there(self, x: X) -> Said:
        """(batch, 1) of each part, 1 where it is there."""
        return {name: x[flag] for name, flag in self._flags.items()}

    def gathered(self, said: Said, there: Said, training: bool) -> tf.Tensor:
        """Features (batch, feature_count), float32, of the parts that are `there`."""
        in_order = [said[name] for name in self.parts] + [there[name] for name in self.parts]
        return tf.cast(self._gathered(in_order, training=training), tf.float32)
