"""Schemas and signatures of small pictures, as tests need them."""

from collections.abc import Sequence
from typing import Any

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.models.schemas import Signature
from app.tasks.classification import Classification


def changed(schema: Schema, **fields: Any) -> Schema:
    """With other members, those of its inputs (`shape`, `dtype`) and its `classes` among them."""
    of_inputs = {name: fields.pop(name) for name in ImageInputs.model_fields if name in fields}
    if "classes" in fields:
        schema = schema.named(fields.pop("classes"))
    inputs = schema.inputs.model_copy(update=of_inputs)
    return schema.model_copy(update={"inputs": inputs, **fields})


def signature(
    shape: tuple[int, int, int], classes: Sequence[str], temperature: float | None = None, **of: Any
) -> Signature:
    """Of a model for uint8 pictures; `of`: other members of its inputs."""
    inputs = ImageInputs.model_validate({"shape": shape, "dtype": "uint8", **of})
    task = Classification(classes=tuple(classes))
    return Signature(inputs=inputs, task=task, temperature=temperature)


SIGNATURE = signature((8, 8, 1), ("a", "b"))
