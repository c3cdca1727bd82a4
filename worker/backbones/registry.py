"""The families of backbones, by the choices of app.spec.backbones."""

from collections.abc import Mapping
from typing import Any, assert_never

import keras

from app.inputs.image import IMAGE
from app.spec.backbones import Backbone, Convnet, Mlp, Mobilenet
from worker.backbones import convnet, mlp, mobilenet
from worker.backbones.input_rows import Axes


def build(model: Backbone, seen: Mapping[str, keras.KerasTensor]) -> keras.Model:
    """Builds a backbone without its bottleneck: tensors like those that are `seen`, by the same
    names -> features (batch, feature_count)."""
    shapes = shapes_of(seen)
    match model:
        case Mlp():
            return mlp.build(model.params, shapes)
        case Convnet():
            return convnet.build(model.params, shapes[IMAGE])
        case Mobilenet():
            return mobilenet.build(model.params, shapes[IMAGE])
        case _:
            assert_never(model)


def input_axes(model: Backbone, seen: Mapping[str, keras.KerasTensor]) -> Axes:
    """The axes of the backbone's kernels whose rows belong to columns of a table, by the paths of
    its variables."""
    match model:
        case Mlp():
            return mlp.input_axes(shapes_of(seen))
        case Convnet() | Mobilenet():
            return {}
        case _:
            assert_never(model)


def shapes_of(seen: Mapping[str, keras.KerasTensor]) -> dict[str, Any]:
    return {name: tuple(tensor.shape[1:]) for name, tensor in seen.items()}
