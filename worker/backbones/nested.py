"""Layers of a model wherever they stand in it."""

from typing import TypeVar

import keras

Kind = TypeVar("Kind")


def layers_within(model: keras.Model, *kinds: type[Kind]) -> list[Kind]:
    """Lists the layers of these kinds, those of nested models and layers among them: Keras'
    `model.layers` stops at the first level."""
    within = model._flatten_layers(include_self=False)  # public: that of the first level alone
    return [layer for layer in within if isinstance(layer, kinds)]
