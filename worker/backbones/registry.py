"""The families of backbones, by the choices of app.spec.backbones."""

from collections.abc import Mapping
from typing import Any, assert_never

import keras
import numpy as np
from numpy.typing import NDArray

from app.inputs.image import IMAGE
from app.spec.backbones import (
    Backbone,
    Convnet,
    EfficientnetLite,
    EfficientnetV2B0,
    FtTransformer,
    Fusion,
    Mlp,
    Mobilenet,
    Tabm,
)
from app.spec.imported.choice import Imported
from app.spec.text_choices import Charconv, E5Small, SentenceEncoder
from worker.backbones import (
    charconv,
    convnet,
    e5,
    efficientnet_lite,
    efficientnet_v2,
    ft_transformer,
    fusion,
    imported,
    mlp,
    mobilenet,
    tabm,
)
from worker.backbones.input_rows import Axes
from worker.backbones.part_views import PartViews


def build(  # noqa: PLR0911  a case per family
    model: Backbone,
    seen: Mapping[str, keras.KerasTensor],
    blocks: Mapping[str, NDArray[np.int32]] = {},
) -> keras.Model:
    """Builds a backbone without its bottleneck: tensors like those that are `seen`, by the same
    names -> features (batch, feature_count), or (batch, members, feature_count).

    `blocks`: which part of an item places of a tensor belong to (worker.inputs.contract).
    """
    shapes = shapes_of(seen)
    match model:
        case Mlp() | SentenceEncoder():
            return mlp.build(model.params, shapes)
        case Convnet():
            return convnet.build(model.params, shapes[IMAGE])
        case Mobilenet():
            return mobilenet.build(model.params, shapes[IMAGE])
        case EfficientnetLite():
            return efficientnet_lite.build(model.params, shapes[IMAGE])
        case EfficientnetV2B0():
            return efficientnet_v2.build(model.params, shapes[IMAGE])
        case Tabm():
            return tabm.build(model.params, shapes)
        case FtTransformer():
            return ft_transformer.build(model.params, shapes, blocks)
        case Charconv():
            return charconv.build(model.params)
        case E5Small():
            return e5.build(model.params)
        case Imported():
            return imported.build(model.params)
        case Fusion():
            dtypes = {name: str(tensor.dtype) for name, tensor in seen.items()}
            return fusion.build(model.params, shapes, dtypes)
        case _:
            assert_never(model)


def part_views(model: Backbone, backbone: keras.Model) -> PartViews | None:
    """Returns the halves of a network of several parts; None of one that looks at one alone."""
    if not isinstance(model, Fusion) or model.params.looks_at_one_part:
        return None
    return PartViews(backbone, fusion.PROJECTION)


def input_axes(model: Backbone, seen: Mapping[str, keras.KerasTensor]) -> Axes:
    """The axes of the backbone's kernels whose rows belong to columns of a table, by the paths of
    its variables."""
    match model:
        case Mlp():
            return mlp.input_axes(shapes_of(seen))
        case Tabm():
            return tabm.input_axes(shapes_of(seen))
        case FtTransformer():
            return ft_transformer.input_axes(shapes_of(seen))
        case (
            Charconv()
            | Convnet()
            | E5Small()
            | Fusion()
            | Mobilenet()
            | EfficientnetLite()
            | EfficientnetV2B0()
            | SentenceEncoder()
        ):
            return {}
        case Imported():
            return {}
        case _:
            assert_never(model)


def shapes_of(seen: Mapping[str, keras.KerasTensor]) -> dict[str, Any]:
    return {name: tuple(tensor.shape[1:]) for name, tensor in seen.items()}
