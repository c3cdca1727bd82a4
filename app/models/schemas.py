"""A model as the outside sees it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.inputs import Inputs
from app.inputs.encoders import EncoderIdentity
from app.tasks import Task

Format = Literal["onnx", "keras", "tokenizer", "encoder"]
ModelStatus = Literal["importing", "ready", "failed", "damaged"]
Origin = Literal["job", "imported"]


class Signature(BaseModel):
    """Form of what a model is asked, and of what it answers."""

    inputs: Inputs
    task: Task
    temperature: float | None = Field(
        None,
        description="the graph divides the logits by it before the softmax, so that its scores are "
        "calibrated; null: they are not",
    )
    encoder: EncoderIdentity | None = Field(
        None,
        description="the frozen encoder that the graph begins with: it takes `input_ids` and "
        "`attention_mask`, int64 (n, tokens), of `prefix` and a text by the model's tokenizer.json",
    )


State = Literal["AVAILABLE", "LOADING", "END"]
ErrorCode = Literal["OK", "FAILED_PRECONDITION"]


class LoadStatus(BaseModel):
    error_code: ErrorCode
    error_message: str = Field(description="why it is not available; empty where it is")


class VersionStatus(BaseModel):
    version: str = Field(description="the deployment's, which rises with each re-pointing")
    state: State = Field(description="in the process that answers; END: it failed to load")
    status: LoadStatus


class VersionStatuses(BaseModel):
    """Answer to clients of TensorFlow Serving about a deployment: the version it serves."""

    model_version_status: list[VersionStatus]


class FittedTemperature(BaseModel):
    """The card's `calibration`: what a model's scores are calibrated by."""

    temperature: float | None = Field(None, description="null: they are not calibrated")
    items: int = Field(0, description="validation items that it was fitted on, all seeds'")
    seeds: int = Field(0, description="1: on the model's own items alone")
    reason: str | None = Field(None, description="why there is none")


class ModelOut(BaseModel):
    id: str
    name: str
    origin: Origin = Field(
        "job", description="`imported`: it was trained elsewhere and came by POST /v1/models"
    )
    job_id: str | None = Field(None, description="the job whose winner it is")
    trial_id: str | None = None
    status: ModelStatus = Field(
        "ready",
        description="`importing`: a worker has yet to read the uploaded file, or does; `failed`: "
        "that did not succeed, and `error` says why; `damaged`: a stored file of it is gone or has "
        "another content than its hash says, and `error` which one",
    )
    error: dict[str, Any] | None = Field(
        None, description="{code, message, param, stage, errors}; null while it is whole"
    )
    signature: Signature | None = Field(
        description="null until an imported one is `ready`; without classes where it has no head"
    )
    classes_left_off: int = Field(
        0,
        description="in lists no more than 100 classes of each model are named: so many more there "
        "are; the model's own answer names them all",
    )
    columns_left_off: int = Field(
        0, description="the same of columns of a table, of which lists tell no more than 100"
    )
    card: dict[str, Any] = Field(
        description="data, arm and metrics it was trained with; `calibration`: {temperature, "
        "items, seeds, reason}: the validation items, of so many seeds, that its temperature was "
        "fitted on, or why it has none; absent in models of earlier releases"
    )
    hashes: dict[str, str] = Field(description="sha256 of each file by its format")
    deployments: list[str] = Field(description="names that point to it")
    created_at: datetime
