"""Networks that were trained elsewhere, built from their structure by ktl alone: Keras' own
deserialisation never sees what was uploaded."""

from typing import Any

import keras

from app.inputs.image import IMAGE
from app.spec.imported.kinds import Kind
from app.spec.imported.params import ImportedParams
from app.spec.imported.structure import Structure
from worker.backbones.convnet import NORM_MOMENTUM


def build(params: ImportedParams) -> keras.Model:
    """Images (batch, *params.read.input), float32 in 0..1 -> features (batch, d), float32."""
    return assembled(params.read)


def assembled(structure: Structure) -> keras.Model:
    """Layers are called `KIND_PLACE` by their places in the structure."""
    images = keras.Input(structure.input, name=IMAGE)
    made = [images]
    layers = layers_of(structure)
    for layer, taken in structure.calls:
        given = [made[place] for place in taken]
        made.append(layers[layer](given if structure.layers[layer].joins else given[0]))
    return keras.Model({IMAGE: images}, made[-1], name="imported")


def layers_of(structure: Structure) -> list[keras.Layer]:
    """Layers that are not yet built, in the structure's order."""
    return [_layer(kind, name_of(kind, place)) for place, kind in enumerate(structure.layers)]


def name_of(kind: Kind, place: int) -> str:
    """Name of the layer at `place` in a structure."""
    return f"{kind.kind.lower()}_{place}"


def _layer(kind: Kind, name: str) -> keras.Layer:
    """A layer of the class that its kind is called by, one of those of `Kind` and no other."""
    options: dict[str, Any] = {**kind.model_dump(exclude={"kind"}), "name": name}
    if kind.is_norm:
        options["momentum"] = NORM_MOMENTUM
    layer: keras.Layer = getattr(keras.layers, kind.kind)(**options)
    return layer
