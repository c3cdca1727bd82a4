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


class CanaryIn(Sent):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "mdl_01JD6ZB5V4T8Q0M2N9X3K7RWCE", "percent": 10}]}
    )

    model: str = Field(description="`mdl_…`, or the model's name: another than the current one")
    percent: int = Field(
        ge=1, le=99, strict=True, description="requests of each 100 that it answers"
    )


class CanaryOut(BaseModel):
    model: str
    model_name: str
    percent: int
    created_at: datetime = Field(description="since when it is tried")
    status: DeploymentStatus = Field(
        description="in the process that answers; until it is ready the current model answers alone"
    )
    reason: str | None = Field(None, description="why it is not ready")


class DeploymentOut(BaseModel):
    name: str
    model: str = Field(description="the model that the name points to")
    model_name: str
    version: int = Field(description="rises with each re-pointing")
    status: DeploymentStatus = Field(
        description="of `model` in the process that answers; it is ready within about a second"
    )
    reason: str | None = Field(None, description="why it is not ready")
    canary: CanaryOut | None = Field(
        None, description="the model that answers a share of the requests, to be seen beside it"
    )
    created_at: datetime
    updated_at: datetime


class DeploymentVersion(BaseModel):
    version: int
    model: str
    model_name: str
    created_at: datetime


class DeploymentWithHistory(DeploymentOut):
    history: list[DeploymentVersion] = Field(description="newest first, the current one included")
