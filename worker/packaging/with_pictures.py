"""A network that sees features of pictures, and the frozen network that gives them, as one."""

from collections.abc import Callable

import keras

from app.inputs.features import FEATURES
from app.inputs.image import IMAGE, ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.photo_features import PhotoFeaturesInputs
from worker.backbones.network import Network

Frozen = Callable[[ImageInputs, PhotoFeaturesInputs], Network]


def with_pictures(
    raw_model: keras.Model, seen: JoinedInputs, sent: JoinedInputs, frozen: Frozen
) -> keras.Model:
    """Builds a model that shares the weights of `raw_model`, which takes items as `seen`, and takes
    them as they are `sent`: with pictures in place of their features. Parts whose pictures are
    alike share a network. `raw_model` itself where nothing is seen of pictures but themselves."""
    if seen == sent:
        return raw_model
    takes: dict[str, keras.KerasTensor] = dict(raw_model.input)
    given = dict(takes)
    networks: dict[tuple[ImageInputs, PhotoFeaturesInputs], keras.Model] = {}
    for part in seen.parts:
        own = sent.part(part.name)
        if not isinstance(part.inputs, PhotoFeaturesInputs) or own is None:
            continue
        assert isinstance(own.inputs, ImageInputs)
        key = own.inputs, part.inputs
        if key not in networks:
            networks[key] = _from_pixels(frozen(*key), f"pictures_{len(networks) + 1}")
        network, flag = networks[key], takes[part.flag]
        picture = keras.Input(
            own.inputs.shape, name=f"{part.name}.{IMAGE}", dtype=network.input.dtype
        )
        is_there = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(flag, 0), "float32"), 1)
        del given[f"{part.name}.{FEATURES}"]
        given[f"{part.name}.{IMAGE}"] = picture
        takes[f"{part.name}.{FEATURES}"] = network(picture) * is_there
    return keras.Model(given, raw_model(takes), name="network")


def _from_pixels(network: Network, name: str) -> keras.Model:
    """Pictures (n, *shape) as they are sent -> features (n, dimension)."""
    (spec,) = network.inputs.raw.values()
    picture = keras.Input(spec.shape[1:], name=IMAGE, dtype=spec.dtype.name)
    seen = network.inputs.preprocessing({IMAGE: picture})
    return keras.Model(picture, network.backbone(seen), name=name)
