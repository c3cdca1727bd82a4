"""A .keras file and what its sender says of it -> a network of ours, with its weights and head."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from app.errors import FailureCode, WorkFailure
from app.inputs.image import CHANNELS, PIXEL_LIMIT, ImageInputs
from app.models.importing import ImportSpec
from app.models.schemas import Signature
from app.spec.backbones import Imported
from app.spec.imported.params import ImportedParams
from app.spec.imported.structure import Structure
from app.tasks.classification import Classification
from worker.backbones.imported import name_of
from worker.backbones.network import Architecture, Network
from worker.importing.archive import CONFIG, unpack
from worker.importing.heads import Cut, cut_of
from worker.importing.input_front import front_of
from worker.importing.keras_config import ReadLayer, ReadNetwork, declared_input, read_config
from worker.importing.refusing import IMPORT, refused
from worker.importing.stored_weights import StoredWeights, stored_weights

log = structlog.get_logger(__name__)

Array = NDArray[np.float32]
Shape3 = tuple[int, int, int]
BYTES = (0.0, 255.0)


@dataclass(frozen=True, eq=False)
class ImportedNetwork:
    """`network` has the head of the file where that has one, else one that nothing has trained."""

    network: Network
    signature: Signature
    told: dict[str, Any]  # of the file, for the card


def read_keras(path: Path, spec: ImportSpec, folder: Path, most_bytes: int) -> ImportedNetwork:
    """Args:
        folder: for the weights while they are read.
        most_bytes: of these.

    Raises:
        WorkFailure: `model_invalid`, whatever the bytes are.
    """
    archive = unpack(path, folder, most_bytes)
    picture = _picture(spec, declared_input(archive.config))
    front = front_of(spec, picture, declared_input(archive.config))
    read = read_config(archive.config, front.shape)
    cut = cut_of(read, spec)
    with stored_weights(archive.weights) as weights:
        for layer in read.layers:
            if layer.entry.class_name == "Normalization":
                layer.settle(_constants(layer, weights))
        structure = _structure(picture, front.layers, read, cut)
        inputs = ImageInputs(
            shape=picture,
            dtype="uint8" if spec.inputs.value_range == BYTES else "float32",
            value_range=spec.inputs.value_range,
        )
        task = Classification(classes=spec.classes or ())
        network = _network(structure, inputs, task)
        _load(network, read, cut, len(front.layers), weights)
    counted = structure.counted
    told = {
        "format": "keras",
        "keras_version": archive.keras_version,
        "layers": len(structure.layers),
        "parameters": counted.parameters,
        "features": counted.features[0],
        "head": spec.head,
        "left_out": sorted(set(read.left_out)),
        "expects": spec.inputs.model_dump(mode="json")["expects"],
    }
    return ImportedNetwork(network, Signature(inputs=inputs, task=task, temperature=None), told)


def _picture(spec: ImportSpec, declared: Sequence[int | None] | None) -> Shape3:
    """As the spec says, else as the file does."""
    if spec.inputs.shape:
        height, width, channels = spec.inputs.shape
        return height, width, channels
    sides = list(declared or ())
    if len(sides) == 2:
        sides.append(1)
    known = [side for side in sides if side is not None]
    if len(known) != 3 or known[2] not in CHANNELS or prod(known) > PIXEL_LIMIT:
        detail = (
            "expected the shape of a picture (height, width, channels) in the spec: the file does "
            "not say one with 1, 3 or 4 channels"
        )
        raise WorkFailure(
            FailureCode.MODEL_INVALID,
            detail,
            stage=IMPORT,
            reason="shape_unknown",
            pointer="#/spec/inputs/shape",
        )
    return known[0], known[1], known[2]


def _constants(layer: ReadLayer, weights: StoredWeights) -> dict[str, list[float]]:
    """Mean and variance by channel: of its config, else of the weights, as `adapt` left them."""
    config = layer.entry.config
    if config.get("mean") is not None:
        found = {name: config.get(name) for name in ("mean", "variance")}
        return {name: _flat(value, layer, name) for name, value in found.items()}
    shape = (layer.taken[0][-1],)
    mean, variance, _ = weights.of(layer.stored, [shape, shape, ()])
    return {"mean": mean.tolist(), "variance": variance.tolist()}


def _flat(value: Any, layer: ReadLayer, name: str) -> list[float]:
    """A number, or lists of numbers within lists, as one list."""
    found, stack = list[float](), [value]
    while stack:
        one = stack.pop()
        if isinstance(one, list) and len(one) + len(found) <= PIXEL_LIMIT:
            stack += one[::-1]
        elif isinstance(one, int | float) and not isinstance(one, bool):
            found.append(float(one))
        else:
            raise refused("invalid_option", "expected numbers", *layer.entry.path, name)
    return found


def _structure(picture: Shape3, front: Sequence[Any], read: ReadNetwork, cut: Cut) -> Structure:
    """The front, the layers up to the features in the order of their first calls, what flattens."""
    places = list(dict.fromkeys(place for place, _ in read.calls[: cut.calls]))
    before = len(front)
    layers = [*front, *(read.layers[place].kind for place in places), *cut.after]
    calls = [(number, [number]) for number in range(before)]
    calls += [
        (before + places.index(place), [each + before for each in taken])
        for place, taken in read.calls[: cut.calls]
    ]
    first = before + len(places)
    calls += [(first + number, [len(calls) + number]) for number in range(len(cut.after))]
    content = {
        "input": picture,
        "layers": [layer.model_dump(exclude_defaults=True) for layer in layers],
        "calls": calls,
    }
    try:
        return Structure.model_validate(content)
    except ValueError as error:
        detail = "expected a network whose layers fit each other"
        raise refused("layers_do_not_fit", detail, CONFIG) from error


def _network(structure: Structure, inputs: ImageInputs, task: Classification) -> Network:
    try:
        params = ImportedParams(structure=structure.written())
    except ValueError as error:
        detail = "expected features in one dimension, and at most 268435456 parameters"
        raise refused("layers_do_not_fit", detail, CONFIG) from error
    model = Imported(backbone="imported", params=params)
    # What has no head gets one of two classes, so that it can be tried.
    headed = task if task.classes else Classification(classes=("", ""))
    try:
        return Network(Architecture(model, inputs, headed.nameless))
    except (ValueError, TypeError, IndexError) as error:  # Keras knows better what fits
        log.warning("import_not_built", error=type(error).__name__)
        detail = "expected a network whose layers fit each other"
        raise refused("layers_do_not_fit", detail, CONFIG) from error


def _load(
    network: Network, read: ReadNetwork, cut: Cut, before: int, weights: StoredWeights
) -> None:
    network.initialise(0)
    places = list(dict.fromkeys(place for place, _ in read.calls[: cut.calls]))
    for number, place in enumerate(places):
        layer = read.layers[place]
        built = network.backbone.get_layer(name_of(layer.kind, before + number))
        if not built.weights:  # what a Normalization has stands in its options
            continue
        shapes = [tuple(variable.shape) for variable in built.weights]
        for variable, value in zip(built.weights, weights.of(layer.stored, shapes), strict=True):
            variable.assign(value)
    if cut.head is not None:
        kernel, bias = cut.head.read(network.feature_count, weights)
        network.head.set_weights([kernel, bias])
