"""A part of an item, whose tensors stand beside those of others, and its decoding."""

from base64 import b64decode
from binascii import Error as BinasciiError
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from app.errors import Finding, Invalid, invalid
from app.inputs.image import ImageInputs
from app.inputs.photo_features import PhotoFeaturesInputs
from app.inputs.pictures import prepare
from app.inputs.table import ROW, TableInputs
from app.inputs.text import TEXT, TextInputs
from app.tensors import Tensors, TensorSpec

PRESENT, B64 = "present", "b64"
PART_NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,39}$"
Known = NDArray[np.bool_]  # (n,)


SentInputs = ImageInputs | TableInputs | TextInputs  # of a part that clients send
PartInputs = Annotated[SentInputs | PhotoFeaturesInputs, Field(discriminator="modality")]


class JoinedPart(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=PART_NAME)
    inputs: PartInputs

    @property
    def sent(self) -> SentInputs:
        """The inputs of a part that clients send. Raises ValueError where it is computed."""
        if isinstance(self.inputs, PhotoFeaturesInputs):
            raise ValueError(f"expected a part that is sent, got features in `{self.name}`")
        return self.inputs

    @property
    def has_flag(self) -> bool:
        """True where a tensor says that there is something: pictures of zeros are pictures."""
        return isinstance(self.inputs, ImageInputs | PhotoFeaturesInputs)

    @property
    def flag(self) -> str:
        return f"{self.name}.{PRESENT}"

    def tensors(self) -> Iterator[TensorSpec]:
        for tensor in self.inputs.tensors:
            yield TensorSpec(f"{self.name}.{tensor.name}", tensor.dtype, tensor.shape)
        if self.has_flag:
            yield TensorSpec(self.flag, "uint8", ())

    def of(self, items: Tensors) -> dict[str, NDArray[Any]]:
        """The part's own tensors out of an item's, by the names that they have alone."""
        return {each.name: items[f"{self.name}.{each.name}"] for each in self.inputs.tensors}

    def known(self, items: Tensors) -> Known:
        """(n,), whether each item has this part."""
        found: Known
        if self.has_flag:
            found = np.asarray(items[self.flag]) != 0
        elif isinstance(self.inputs, TableInputs):
            found = ~np.isnan(np.asarray(self.of(items)[ROW])).all(axis=1)
        else:
            found = (np.asarray(self.of(items)[TEXT]) != 0).any(axis=1)
        return found

    def nothing(self, count: int) -> dict[str, NDArray[Any]]:
        """So many items without this part, by the names of its own tensors."""
        fill = np.nan if isinstance(self.inputs, TableInputs) else 0
        return {
            each.name: np.full((count, *each.shape), fill, each.dtype)
            for each in self.inputs.tensors
        }

    def placed(self, own: Tensors, known: Known) -> dict[str, NDArray[Any]]:
        """Tensors of the items that have it, (known.sum(), …) -> of all items, by their names."""
        found = {}
        for name, nothing in self.nothing(len(known)).items():
            values = nothing.astype(own[name].dtype, copy=False)
            values[known] = own[name]
            found[f"{self.name}.{name}"] = values
        return found | ({self.flag: known.astype(np.uint8)} if self.has_flag else {})


def decoded_part(inputs: PartInputs, value: Any, at: str) -> Tensors:
    """One item -> tensors (1, …), of a text of nothing those that mean that it is missing. Raises
    Invalid."""
    if isinstance(inputs, ImageInputs) and isinstance(value, dict | bytes):
        data = value if isinstance(value, bytes) else _file(value, at)
        return {inputs.tensor: prepare(data, inputs, at)[None]}
    try:
        if isinstance(inputs, TextInputs):
            return inputs.decode_any([value], at)
        return inputs.decode([value], at)
    except Invalid as wrong:
        raise _moved(wrong, f"{at}/0", at) from None


def _file(value: dict[str, Any], at: str) -> bytes:
    """Decodes the file in `{"b64": …}`, as TensorFlow Serving has bytes in JSON. Raises Invalid."""
    text = value.get(B64)
    if list(value) != [B64] or not isinstance(text, str):
        detail = 'expected a picture as nested arrays or as {"b64": …}, a file, got other'
        raise invalid("not_a_picture", detail, at)
    try:
        return b64decode(text, validate=True)
    except (BinasciiError, ValueError):
        detail = "expected a file's bytes in Base64, got other text"
        raise invalid("not_base64", detail, f"{at}/{B64}") from None


def _moved(wrong: Invalid, before: str, at: str) -> Invalid:
    """Moves pointers to begin from `at` that began at `before`."""
    findings = [
        Finding(each.detail, (each.pointer or at).replace(before, at, 1)) for each in wrong.findings
    ]
    return Invalid(wrong.code, wrong.detail, *findings)
