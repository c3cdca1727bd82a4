"""A .keras file and what its sender says of it -> a network of ours."""

from functools import partial
from pathlib import Path
from typing import Any

from app.inputs.image import PIXEL_LIMIT
from app.models.importing import ImportSpec
from worker.importing.archive import unpack
from worker.importing.input_front import front_of
from worker.importing.keras_config import NORMALIZATION, KerasLayer, declared_input, read_config
from worker.importing.network import ImportedNetwork, assembled, picture_of
from worker.importing.refusing import refused
from worker.importing.stored_weights import StoredWeights, stored_weights


def read_keras(path: Path, spec: ImportSpec, folder: Path, most_bytes: int) -> ImportedNetwork:
    """Args:
        folder: for the weights while they are read.
        most_bytes: of these.

    Raises:
        WorkFailure: `model_invalid`, whatever the bytes are.
    """
    archive = unpack(path, folder, most_bytes)
    declared = declared_input(archive.config)
    picture = picture_of(spec, declared)
    front = front_of(spec, picture, declared)
    read = read_config(archive.config, front.shape)
    with stored_weights(archive.weights) as weights:
        called = {place for place, _ in read.calls}
        for layer in (read.layers[place] for place in sorted(called)):
            if isinstance(layer, KerasLayer):
                layer.weights = partial(weights.of, layer.stored)
                if layer.entry.class_name == NORMALIZATION:
                    layer.settle(_constants(layer, weights))
        told = {"format": "keras", "keras_version": archive.keras_version}
        return assembled(spec, picture, front, read, told)


def _constants(layer: KerasLayer, weights: StoredWeights) -> dict[str, list[float]]:
    """Mean and variance by channel: of its config, else of the weights, as `adapt` left them."""
    config = layer.entry.config
    if config.get("mean") is not None:
        found = {name: config.get(name) for name in ("mean", "variance")}
        return {name: _flat(value, layer, name) for name, value in found.items()}
    shape = (layer.taken[0][-1],)
    mean, variance, _ = weights.of(layer.stored, [shape, shape, ()])
    return {"mean": mean.tolist(), "variance": variance.tolist()}


def _flat(value: Any, layer: KerasLayer, name: str) -> list[float]:
    """A number, or lists of numbers within lists, as one list."""
    found, stack = list[float](), [value]
    while stack:
        one = stack.pop()
        if isinstance(one, list) and len(one) + len(found) <= PIXEL_LIMIT:
            stack += one[::-1]
        elif isinstance(one, int | float) and not isinstance(one, bool):
            found.append(float(one))
        else:
            raise refused("invalid_option", "expected numbers", *layer.path, name)
    return found
