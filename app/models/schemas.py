"""What the outside sees of a model."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

Format = Literal["onnx", "keras"]


class Signature(BaseModel):
    """From raw inputs (n, *shape) to one probability for each class."""

    shape: tuple[int, ...] = Field(description="height, width, channels of one raw input")
    dtype: str = Field(description="of the raw values, `uint8` or `float32`")
    classes: list[str] = Field(description="the labels, in the order of the outputs")


class ModelOut(BaseModel):
    id: str
    name: str
    job_id: str | None = Field(None, description="the job whose winner it is")
    trial_id: str | None = None
    signature: Signature
    card: dict[str, Any] = Field(description="data, arm and metrics it was trained with")
    hashes: dict[str, str] = Field(description="sha256 of each file by its format")
    deployments: list[str] = Field(description="names that point to it")
    created_at: datetime
