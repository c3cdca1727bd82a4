"""Answers that tell of strategies and networks."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.pretrained.files import Availability
from app.spec.strategy_catalogue import NEEDS, Need

_NEEDS = "; ".join(f"`{need}`: {said}" for need, said in NEEDS.items())


class StrategyOut(BaseModel):
    name: str
    summary: str
    needs: list[Need] = Field(description=_NEEDS)
    beside_labels: list[Need] | None = Field(
        description="what it needs to learn from target items without labels beside labelled ones "
        "(`target.use_unlabelled`); null: it has no use for them"
    )
    paper: str | None
    params: dict[str, Any]


class BackboneOut(BaseModel):
    name: str
    summary: str
    weights: str | None = Field(
        None, description="that are known of it: what a job's source calls them; null: none are"
    )
    source: Literal["package", "keras", "hf", "file", "none"] = Field(
        "none", description="of the weights: a Python package, a file of Keras' or of another home"
    )
    licence: str | None = Field(None, description="of the weights")
    bytes: int | None = Field(None, description="of their file; null where its home does not tell")
    sha256: str | None = Field(None, description="of their file; null where only `md5` is known")
    md5: str | None = None
    available: Availability = Field(
        "installed",
        description="the weights, on the API's machine; `installed`: in a package, or none are "
        "needed; `cached`: fetched to the data folder; `downloadable`; `missing`",
    )
    how: str | None = Field(
        None, description="the command that brings the weights where they are not there"
    )
    params: dict[str, Any]
    modality: str | None = Field(None, description="that it is for; null: any")
    training: dict[str, Any] = Field(
        default_factory=dict,
        description="what a job's `training` is with it where the job does not say; early_stopping "
        "only where enough items are held out",
    )


class StrategiesOut(BaseModel):
    data: list[StrategyOut]


class BackbonesOut(BaseModel):
    data: list[BackboneOut]
