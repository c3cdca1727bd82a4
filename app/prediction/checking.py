"""What items of each modality are held against."""

from typing import assert_never

from app.inputs import Inputs
from app.inputs.dense import DenseInputs
from app.inputs.joined import JoinedInputs
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from app.prediction.checks import ValueCheck
from app.prediction.joined import JoinedCheck
from app.prediction.rows import RowCheck
from app.prediction.texts import TextCheck
from app.prediction.value_range import ArrayCheck, ValueRange


def check_of(inputs: Inputs) -> ValueCheck:
    match inputs:
        case DenseInputs():
            return ArrayCheck(ValueRange.of(inputs))
        case TableInputs():
            return RowCheck(inputs)
        case TextInputs():
            return TextCheck(inputs)
        case JoinedInputs():
            return JoinedCheck(inputs, {p.name: check_of(p.sent) for p in inputs.parts})
        case _:
            assert_never(inputs)
