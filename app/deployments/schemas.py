"""A deployment as the outside sees it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.sent import Sent

DeploymentStatus = Literal["ready", "loading", "failed"]


class DeploymentIn(Sent):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "mdl_01JD6ZB5V4T8Q0M2N9X3K7RWCE"}]},
    )

    model: str = Field(description="`mdl_…`, or the model's name")


class DeploymentOut(BaseModel):
    name: str
    model: str = Field(description="the model that the name points to")
    model_name: str
    version: int = Field(description="rises with each re-pointing")
    status: DeploymentStatus = Field(
        description="of `model` in the process that answers; it is ready within about a second"
    )
    reason: str | None = Field(None, description="why it is not ready")
    created_at: datetime
    updated_at: datetime


class DeploymentVersion(BaseModel):
    version: int
    model: str
    created_at: datetime


class DeploymentWithHistory(DeploymentOut):
    history: list[DeploymentVersion] = Field(description="newest first, the current one included")
