"""Occlusions of items of one modality, which may be a part of others."""

from typing import Any, assert_never

import numpy as np

from app.inputs.image import IMAGE, ImageInputs
from app.inputs.joined_part import SentInputs
from app.inputs.table import ROW, TableInputs
from app.inputs.text import TEXT, TextInputs
from app.prediction.explaining.pictures import OccludedPicture
from app.prediction.explaining.rows import OccludedRow
from app.prediction.explaining.texts import OccludedText
from app.tensors import Tensors

OccludedPart = OccludedPicture | OccludedRow | OccludedText


def occluded_part(inputs: SentInputs, item: Tensors, sent: Any, most: int) -> OccludedPart:
    """
    Args:
        item: tensors (1, …), as decoded.
        sent: the item as JSON has it.
    """
    match inputs:
        case ImageInputs():
            return OccludedPicture(np.asarray(item[IMAGE])[0], most)
        case TableInputs():
            return OccludedRow(inputs, np.asarray(item[ROW])[0], most)
        case TextInputs():
            return OccludedText(inputs, np.asarray(item[TEXT])[0], sent, most)
        case _:
            assert_never(inputs)
