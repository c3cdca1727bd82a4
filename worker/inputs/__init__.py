"""Modalities in the graph, by those of app.inputs."""

from typing import assert_never

from app.inputs import Inputs
from app.inputs.features import FeaturesInputs
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from worker.inputs.contract import InputLayers
from worker.inputs.features import FeaturesLayers
from worker.inputs.image import ImageLayers
from worker.inputs.joined import JoinedLayers
from worker.inputs.table import TableLayers
from worker.inputs.text import TextLayers


def layers_of(inputs: Inputs, image_size: tuple[int, int] | None) -> InputLayers:
    """Builds the layers of a modality; `image_size`: what pictures are resized to, if at all."""
    match inputs:
        case ImageInputs():
            return ImageLayers(inputs, image_size)
        case TableInputs():
            return TableLayers(inputs)
        case FeaturesInputs():
            return FeaturesLayers(inputs.shape, inputs.pad_id)
        case TextInputs():
            return TextLayers(inputs)
        case JoinedInputs():
            return JoinedLayers(inputs, image_size)
        case _:
            assert_never(inputs)
