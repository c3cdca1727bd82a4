"""What the outside sees of a job. app/jobs/spec.py is what it sends."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.jobs.spec import Choice

JobStatus = Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
Stage = Literal["queued", "pretraining", "training", "finalising", "ended"]
TrialStatus = Literal["waiting", "queued", "running", "succeeded", "failed", "cancelled"]
Role = Literal["pretrain", "baseline", "transfer"]


class Failure(BaseModel):
    code: str
    message: str
    param: str | None = Field(
        None, description="JSON pointer to what was wrong, where there is one"
    )
    stage: str


class JobOut(BaseModel):
    id: str
    name: str
    status: JobStatus
    stage: Stage
    progress: float = Field(ge=0, le=1)
    eta_seconds: float | None = Field(description="null while nothing has been measured")
    trials: dict[TrialStatus, int]
    error: Failure | None
    spec: dict[str, Any] = Field(description="as resolved: nothing is `auto` any more")
    selection: list[Choice] = Field(description="what `auto` chose, and why")
    sources: list[str]
    target: str
    report: str | None = Field(description="path of the report, once there is one")
    models: list[str]
    deployment: str | None
    tags: dict[str, str]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class PlannedTrialOut(BaseModel):
    role: Role
    arm: str
    seed: int
    labels_per_class: int | None


class ValidationOut(BaseModel):
    """What a job would do. Nothing was started."""

    spec: dict[str, Any]
    selection: list[Choice]
    trials: list[PlannedTrialOut]
    steps: int = Field(description="optimizer steps over all trials, at most")
    estimated_seconds: float | None = Field(
        description="from this installation's own trials of the same backbone; null without any"
    )


class TrialOut(BaseModel):
    id: str
    job_id: str
    role: Role
    arm: str
    seed: int
    labels_per_class: int | None
    depends_on: str | None
    status: TrialStatus
    progress: float
    attempt: int
    seconds: float = Field(description="of training, over all attempts")
    validation: dict[str, float] | None
    test: dict[str, float] | None
    error: Failure | None
    started_at: datetime | None
    ended_at: datetime | None


class TrialMetrics(BaseModel):
    id: str
    arm: str
    seed: int
    labels_per_class: int | None
    status: TrialStatus
    epochs: list[dict[str, Any]] = Field(
        description="phase, epoch, split, loss, accuracy, f1_macro, learning_rate, seconds"
    )
    test: dict[str, float] | None


class MetricsOut(BaseModel):
    job_id: str
    trials: list[TrialMetrics]
