"""Models as the outside sees them."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from fastapi import Request, Response
from sqlalchemy.orm import Session

from app.conditional import conditional
from app.datasets.schemas import LISTED_CLASSES, LISTED_COLUMNS
from app.models import repository
from app.models.schemas import ModelOut, Signature
from app.tables.models import ModelRow

POLL_SECONDS = "1"
LONG = {"test_answers"}  # members of a card that lists leave out


def model_answer(request: Request, session: Session, row: ModelRow) -> Response:
    """The model with its ETag; 304 where If-None-Match names that."""
    shown = present_model(session, row)
    headers = {"Retry-After": POLL_SECONDS} if shown.status == "importing" else {}
    return conditional(request, shown, headers=headers)


def present_model(session: Session, row: ModelRow) -> ModelOut:
    return _model_out(session, row, repository.deployed_as(session, [row.id])[row.id])


def present_models(session: Session, rows: Sequence[ModelRow]) -> list[ModelOut]:
    """Models as a list has them."""
    deployed = repository.deployed_as(session, [row.id for row in rows])
    return [_model_out(session, row, deployed[row.id], is_listed=True) for row in rows]


def _model_out(
    session: Session, row: ModelRow, deployed: list[str], is_listed: bool = False
) -> ModelOut:
    status, error = repository.status_of(session, row)
    signature = Signature.model_validate(row.signature) if row.signature else None
    names, left_off = signature.task.names if signature else (), 0
    shown = names[:LISTED_CLASSES] if is_listed else names
    if signature:
        named = {"task": signature.task.named(shown)}
        inputs = signature.inputs.in_list(LISTED_COLUMNS) if is_listed else signature.inputs
        left_off = len(signature.inputs.asked) - len(inputs.asked)
        signature = signature.model_copy(update={**named, "inputs": inputs})
    return ModelOut(
        id=row.id,
        name=row.name,
        origin=row.origin,
        job_id=row.job_id,
        trial_id=row.trial_id,
        signature=signature,
        classes_left_off=len(names) - len(shown),
        columns_left_off=left_off,
        card={k: v for k, v in row.card.items() if k not in LONG} if is_listed else row.card,
        status=status,
        error=error,
        hashes={kind: content_hash(ref) for kind, ref in row.files.items()},
        deployments=deployed,
        created_at=row.created_at,
    )


def content_hash(ref: str) -> str:
    """Refs name content by its sha256."""
    return PurePosixPath(ref).stem
