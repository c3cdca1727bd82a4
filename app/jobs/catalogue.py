"""What a job can be made of: GET /v1/strategies and GET /v1/catalog/backbones."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.dependencies import Reader
from app.spec import backbones, strategy_catalogue
from app.turns import TurnRoute

router = APIRouter(prefix="/v1", tags=["catalogue"], route_class=TurnRoute)


class StrategyOut(BaseModel):
    name: str
    summary: str
    needs: list[str]
    beside_labels: list[str] | None = Field(
        description="what it needs to learn from target items without labels beside labelled ones "
        "(`target.use_unlabelled`); null: it has no use for them"
    )
    paper: str | None
    params: dict[str, Any]


class BackboneOut(BaseModel):
    name: str
    summary: str
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


@router.get("/strategies")
def list_strategies(_: Reader) -> StrategiesOut:
    """The ways to transfer, each with the JSON schema of its parameters and its paper."""
    return StrategiesOut(
        data=[
            StrategyOut(
                name=entry.name,
                summary=entry.summary,
                needs=list(entry.needs),
                beside_labels=None if entry.beside_labels is None else list(entry.beside_labels),
                paper=entry.paper,
                params=entry.params_schema,
            )
            for entry in strategy_catalogue.CATALOGUE.values()
        ]
    )


@router.get("/catalog/backbones")
def list_backbones(_: Reader) -> BackbonesOut:
    """The networks, each with the JSON schema of its parameters."""
    return BackbonesOut(
        data=[
            BackboneOut(
                name=entry.name,
                summary=entry.summary,
                params=entry.params_schema,
                modality=entry.modality,
                training=dict(entry.recipe),
            )
            for entry in backbones.CATALOGUE.values()
        ]
    )
