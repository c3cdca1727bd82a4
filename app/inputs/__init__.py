"""Modalities: what an item is. A new one is a file here, a line below, and its twin in the
worker."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic import Field

from app.inputs.contract import InputsContract
from app.inputs.dense import DenseInputs
from app.inputs.features import FeaturesInputs
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs

Inputs = Annotated[
    ImageInputs | TableInputs | TextInputs | FeaturesInputs | JoinedInputs,
    Field(discriminator="modality"),
]


def _members(union: Any) -> tuple[type[InputsContract], ...]:
    if get_origin(union) is Annotated:
        return _members(get_args(union)[0])
    return get_args(union) or (union,)


MODALITIES = {
    member.model_fields["modality"].default: member
    for member in _members(Inputs)
    if member.is_stored
}
ARRAYS = {  # modalities whose items are one array each, as .npz and IDX files hold them
    modality: member for modality, member in MODALITIES.items() if issubclass(member, DenseInputs)
}

if TYPE_CHECKING:
    Modality = str
else:
    Modality = Literal[tuple(MODALITIES)]
