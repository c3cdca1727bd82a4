"""Late fusion: a network for each part of an item, then dense layers on what all of them say.

Tang, Zhang, Erickson, Smola & Karypis, "Bag of tricks for multimodal AutoML with image, text, and
tabular data", arXiv:2412.16243. With f_p the features of the part p and m_p 1 where it is there:

h = Σ_p m_p W_p f_p / max(1, Σ_p m_p) + Σ_p (1 - m_p) t_p

t_p is learnt of what is missing. That parts go missing in training is the input layers'
(worker/inputs/joined.py). Departure: the mean of projections in place of their concatenation, so
that a missing part takes nothing from the others.
"""

from collections.abc import Mapping

import keras

from app.inputs.features import FEATURES
from app.inputs.image import IMAGE
from app.inputs.joined_part import PRESENT
from app.inputs.text import TEXT
from app.spec.frozen_photos import FrozenPhotosParams
from app.spec.fusion_params import FusionParams
from worker.backbones import charconv, convnet, mlp

PROJECTION = "_projection"  # with which the names of layers end that bring parts to one width

Shape = tuple[int, ...]
Tensors = dict[str, keras.KerasTensor]


def build(
    params: FusionParams, shapes: Mapping[str, Shape], dtypes: Mapping[str, str]
) -> keras.Model:
    """Tensors (batch, *shape), `PART.TENSOR` and `PART.present` -> features (batch,
    params.hidden[-1]), float32."""
    inputs = {
        name: keras.Input(shape, name=name, dtype=dtypes[name]) for name, shape in shapes.items()
    }
    parts: dict[str, Tensors] = {}
    for name, tensor in inputs.items():
        part, _, own = name.partition(".")
        parts.setdefault(part, {})[own] = tensor
    looked_at = {
        name: own for name, own in parts.items() if params.parts is None or name in params.parts
    }
    features = _features(params, looked_at)
    there = keras.layers.Concatenate(name="present")([own[PRESENT] for own in looked_at.values()])
    projected = [
        keras.layers.Dense(params.width, name=f"{name}{PROJECTION}")(each)
        * looked_at[name][PRESENT]
        for name, each in features.items()
    ]
    count = keras.ops.maximum(keras.ops.sum(there, axis=1, keepdims=True), 1.0)
    said = projected[0] if len(projected) == 1 else keras.layers.Add(name="said")(projected)
    missing = keras.layers.Dense(params.width, use_bias=False, name="missing")(1.0 - there)
    x = keras.layers.ReLU(name="gathered")(said / count + missing)
    if params.dropout:
        x = keras.layers.Dropout(params.dropout, name="dropout")(x)
    for index, width in enumerate(params.hidden):
        x = keras.layers.Dense(width, activation="relu", name=f"together_{index}")(x)
    return keras.Model(inputs, x, name="fusion")


def _features(params: FusionParams, parts: Mapping[str, Tensors]) -> Tensors:
    """(batch, any width) of each part, by its network."""
    found: Tensors = {}
    if params.photos:
        given = {name: own[FEATURES] for name, own in parts.items() if FEATURES in own}
        found |= _of_photos(params.photos, given, params.shares_images)
    pictures = {name: own[IMAGE] for name, own in parts.items() if IMAGE in own}
    for names in _alike(pictures) if params.shares_images else [[name] for name in pictures]:
        found |= _of_pictures(params, {name: pictures[name] for name in names})
    for name, own in parts.items():
        if name in found:
            continue
        seen = {tensor: each for tensor, each in own.items() if tensor != PRESENT}
        if TEXT in seen:
            network = charconv.build(params.text)
        else:
            shapes = {tensor: tuple(each.shape[1:]) for tensor, each in seen.items()}
            network = mlp.build(params.table, shapes)
        found[name] = _named(network, name)(seen)
    return {name: found[name] for name in parts}


def _of_photos(params: FrozenPhotosParams, given: Tensors, is_shared: bool) -> Tensors:
    """Of what a frozen network says of each picture, brought to mean 0 and deviation 1 within a
    picture: features of different pictures differ in scale."""
    found: Tensors = {}
    layer = None
    for name, features in given.items():
        x = keras.layers.LayerNormalization(center=False, scale=False, name=f"{name}_scaled")(
            features
        )
        if params.dropout:
            x = keras.layers.Dropout(params.dropout, name=f"{name}_dropout")(x)
        if layer is None or not is_shared:
            layer = keras.layers.Dense(
                params.dense, activation="relu", name="photos" if is_shared else f"{name}_dense"
            )
        found[name] = layer(x)
    return found


def _alike(pictures: Tensors) -> list[list[str]]:
    """Names of pictures of one size, together."""
    by_shape: dict[Shape, list[str]] = {}
    for name, picture in pictures.items():
        by_shape.setdefault(tuple(picture.shape[1:]), []).append(name)
    return list(by_shape.values())


def _of_pictures(params: FusionParams, pictures: Tensors) -> Tensors:
    """Of pictures of one size, by one network, in which BatchNorm counts them all together."""
    names = list(pictures)
    shape = tuple(pictures[names[0]].shape[1:])
    network = _named(convnet.build(params.image, shape), "_".join(names)[:80])
    if len(names) == 1:
        return {names[0]: network({IMAGE: pictures[names[0]]})}
    beside = keras.ops.stack([pictures[name] for name in names], axis=1)
    features = network({IMAGE: keras.ops.reshape(beside, (-1, *shape))})
    apart = keras.ops.reshape(features, (-1, len(names), features.shape[-1]))
    return {name: apart[:, place] for place, name in enumerate(names)}


def _named(network: keras.Model, part: str) -> keras.Model:
    """A network whose layers bear the part's name too: networks of one family stand beside each
    other."""

    def renamed(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        return layer.__class__.from_config(config | {"name": f"{part}_{layer.name}"})

    clone: keras.Model = keras.models.clone_model(network, clone_function=renamed)
    clone.name = f"{part}_{network.name}"
    return clone
