"""Modalities: what an item is. A new one is a file here, a line below, and its twin in the
worker."""

from app.inputs.image import ImageInputs

Inputs = ImageInputs  # with a second member: Annotated[... | ..., Field(discriminator="modality")]
