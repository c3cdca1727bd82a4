"""All SQL about traffic. Callers commit."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from app.models.schemas import Signature
from app.tables.deployments import DeploymentRow
from app.tables.models import ModelRow
from app.tables.traffic import TrafficRow
from app.traffic.tally import Key

FIRST = 0  # `seconds` of the row of a model's first answers


class RowKey(NamedTuple):
    """A row's primary key."""

    deployment_id: str
    model_id: str
    process: str
    seconds: int
    begins_at: int


class AskedModel(NamedTuple):
    """A model under a name, as the database has it."""

    deployment_id: str
    signature: Signature
    card: dict[str, Any]


def asked(session: Session, keys: Collection[Key]) -> dict[Key, AskedModel]:
    """Deployments and models that are still there."""
    names, models = [key[:2] for key in keys], [key.model_id for key in keys]
    named = select(DeploymentRow.project, DeploymentRow.name, DeploymentRow.id).where(
        tuple_(DeploymentRow.project, DeploymentRow.name).in_(names)
    )
    held = select(ModelRow.id, ModelRow.signature, ModelRow.card).where(ModelRow.id.in_(models))
    ids = {(project, name): found for project, name, found in session.execute(named)}
    known = {
        found: (Signature.model_validate(signature), card)
        for found, signature, card in session.execute(held)
    }
    return {
        key: AskedModel(ids[key[:2]], *known[key.model_id])
        for key in keys
        if key[:2] in ids and key.model_id in known
    }


def there_of(session: Session, deployment_ids: Collection[str]) -> set[str]:
    """Those of the deployments that are still there, which they are until the commit."""
    kept = select(DeploymentRow.id).where(DeploymentRow.id.in_(deployment_ids))
    kept = kept.order_by(DeploymentRow.id).with_for_update(read=True, key_share=True)
    return {*session.scalars(kept)}


def put(session: Session, key: RowKey, counts: dict[str, Any], expires_at: int | None) -> None:
    """Writes a row of the process's own, whole."""
    row = session.get(TrafficRow, key)
    if row is None:
        session.add(TrafficRow(**key._asdict(), counts=counts, expires_at=expires_at))
    else:
        row.counts = counts
    session.flush()


def of_deployment(session: Session, deployment_id: str, at: int) -> list[TrafficRow]:
    """Rows that count at that time."""
    kept = TrafficRow.expires_at.is_(None) | (TrafficRow.expires_at > at)
    return list(
        session.scalars(select(TrafficRow).where(TrafficRow.deployment_id == deployment_id, kept))
    )


def first_items(session: Session, deployment_id: str, model_id: str) -> int:
    """The number of a model's first answers that are counted by all processes together."""
    first = select(TrafficRow.counts).where(
        TrafficRow.deployment_id == deployment_id,
        TrafficRow.model_id == model_id,
        TrafficRow.seconds == FIRST,
    )
    return sum(counts["answers"]["items"] for counts in session.scalars(first))


def forget(session: Session, at: int) -> None:
    """Removes what counts no more."""
    session.execute(delete(TrafficRow).where(TrafficRow.expires_at <= at))
