"""Modalities: what an item is. A new one is a file here, a line below, and its twin in the
worker."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from app.inputs.contract import InputsContract
from app.inputs.image import ImageInputs

Inputs = ImageInputs  # with a second member: Annotated[... | ..., Field(discriminator="modality")]


def _members(union: Any) -> tuple[type[InputsContract], ...]:
    if get_origin(union) is Annotated:
        return _members(get_args(union)[0])
    return get_args(union) or (union,)


MODALITIES = {member.model_fields["modality"].default: member for member in _members(Inputs)}

if TYPE_CHECKING:
    Modality = str
else:
    Modality = Literal[tuple(MODALITIES)]
