"""The way from what was read of a file to a network of ours, with its weights and its head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import structlog

from app.errors import FailureCode, WorkFailure
from app.inputs.image import CHANNELS, PIXEL_LIMIT, ImageInputs
from app.models.importing import ImportSpec
from app.models.schemas import Signature
from app.spec.imported.choice import Imported
from app.spec.imported.kinds import Kind
from app.spec.imported.params import ImportedParams
from app.spec.imported.structure import Structure
from app.tasks.classification import Classification
from worker.backbones.imported import name_of
from worker.backbones.network import Architecture, Network
from worker.importing.heads import Cut, cut_of
from worker.importing.input_front import Front
from worker.importing.reading import ReadNetwork
from worker.importing.refusing import IMPORT, refused

log = structlog.get_logger(__name__)

Picture = tuple[int, int, int]
BYTES = (0.0, 255.0)
UNFIT = "layers_do_not_fit"


@dataclass(frozen=True, eq=False)
class ImportedNetwork:
    """`network` has the head of the file where that has one, else one that nothing has trained."""

    network: Network
    signature: Signature
    told: Mapping[str, Any]  # of the file, for the card


def picture_of(spec: ImportSpec, declared: Sequence[int | None] | None) -> Picture:
    """Height, width and channels: as the spec says, else as the file declares. Raises
    WorkFailure."""
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


def assembled(
    spec: ImportSpec, picture: Picture, front: Front, read: ReadNetwork, told: Mapping[str, Any]
) -> ImportedNetwork:
    """Raises WorkFailure."""
    cut = cut_of(read, spec)
    structure = _structure(picture, front.layers, read, cut)
    inputs = ImageInputs(
        shape=picture,
        dtype="uint8" if spec.inputs.value_range == BYTES else "float32",
        value_range=spec.inputs.value_range,
    )
    task = Classification(classes=spec.classes or ())
    network = _network(structure, inputs, task)
    _load(network, read, cut, len(front.layers))
    counted = structure.counted
    members = {
        "layers": len(structure.layers),
        "parameters": counted.parameters,
        "features": counted.features[0],
        "head": spec.head,
        "left_out": sorted(set(read.left_out)),
        "expects": spec.inputs.model_dump(mode="json")["expects"],
    }
    signature = Signature(inputs=inputs, task=task, temperature=None)
    return ImportedNetwork(network, signature, {**told, **members})


def _structure(picture: Picture, front: Sequence[Kind], read: ReadNetwork, cut: Cut) -> Structure:
    """The front, the layers up to the features in the order of their first calls, what flattens."""
    places = _places(read, cut)
    before, first = len(front), len(front) + len(places)
    layers = [*front, *(read.layers[place].kind for place in places), *cut.after]
    calls = [(number, [number]) for number in range(before)]
    calls += [
        (before + places.index(place), [each + before for each in taken])
        for place, taken in read.calls[: cut.calls]
    ]
    calls += [(first + number, [len(calls) + number]) for number in range(len(cut.after))]
    content = {
        "input": picture,
        "layers": [layer.model_dump(exclude_defaults=True) for layer in layers],
        "calls": calls,
    }
    try:
        return Structure.model_validate(content)
    except ValueError as error:
        raise refused(UNFIT, "expected a network whose layers fit each other") from error


def _places(read: ReadNetwork, cut: Cut) -> list[int]:
    """Places of the layers up to the features, in the order of their first calls."""
    return list(dict.fromkeys(place for place, _ in read.calls[: cut.calls]))


def _network(structure: Structure, inputs: ImageInputs, task: Classification) -> Network:
    try:
        params = ImportedParams(structure=structure.written())
    except ValueError as error:
        detail = "expected features in one dimension, and at most 268435456 parameters"
        raise refused(UNFIT, detail) from error
    model = Imported(backbone="imported", params=params)
    # What has no head gets one of two classes, so that it can be tried.
    headed = task if task.classes else Classification(classes=("", ""))
    try:
        return Network(Architecture(model, inputs, headed.nameless))
    except (ValueError, TypeError, IndexError) as error:  # Keras knows better what fits
        log.warning("import_not_built", error=type(error).__name__)
        raise refused(UNFIT, "expected a network whose layers fit each other") from error


def _load(network: Network, read: ReadNetwork, cut: Cut, before: int) -> None:
    network.initialise(0)
    for number, place in enumerate(_places(read, cut)):
        layer = read.layers[place]
        built = network.backbone.get_layer(name_of(layer.kind, before + number))
        if not built.weights:  # what a Normalization has stands in its options
            continue
        shapes = [tuple(variable.shape) for variable in built.weights]
        for variable, value in zip(built.weights, layer.weights(shapes), strict=True):
            variable.assign(value)
    if cut.head is not None:
        network.head.set_weights(cut.head.read(network.feature_count))
