"""Encoders that a project's models are: found by what a job calls them."""

from sqlalchemy.orm import Session

from app.errors import NotFound, invalid
from app.inputs.stored_encoder import StoredEncoder
from app.models import repository
from app.models.encoder_spec import HUB, MODEL_ID, HubName
from app.tables.models import ModelRow

ENCODER = "encoder"  # the member of a model's card, and its file's format
POINTER = "#/model/params/encoder"


def named(session: Session, project: str, called: str) -> StoredEncoder | None:
    """The project's newest encoder of that name, or the one of that id or from that place of the
    hub; None where there is none of the name.

    Raises:
        Invalid: `unknown_encoder` for an id that is no encoder's, `weights_unavailable` with the
            command that brings it for one of the hub, `model_failed` where its import failed.
        Conflict: it is being imported.
    """
    if called.startswith(HUB):
        return _of_hub(session, project, called)
    if called.startswith(MODEL_ID):
        return _of_id(session, project, called)
    own = repository.of_project(project).where(
        ModelRow.name == called, ModelRow.origin == "imported"
    )
    rows = session.scalars(own.order_by(ModelRow.id.desc())).all()
    found = next((each for row in rows if (each := stored_of(row))), None)
    if found is None and rows and not rows[0].signature and _is_awaited(session, rows[0]):
        repository.ready_signature(session, rows[0], POINTER)
    return found


def stored_of(row: ModelRow) -> StoredEncoder | None:
    """The encoder that the model is; None where it is another kind of model, or not ready."""
    told = row.card.get(ENCODER)
    return None if told is None else StoredEncoder.model_validate({**told, "model": row.id})


def _is_awaited(session: Session, row: ModelRow) -> bool:
    work = repository.import_of(session, row.id)
    return work is not None and work.spec.get("kind") == ENCODER


def _of_id(session: Session, project: str, called: str) -> StoredEncoder:
    try:
        row = repository.get(session, project, called)
    except NotFound as error:
        raise invalid("unknown_encoder", error.detail, POINTER) from error
    repository.ready_signature(session, row, POINTER)
    if (found := stored_of(row)) is None:
        detail = "expected a model that is an encoder, got one that is a network of its own"
        raise invalid("unknown_encoder", detail, POINTER)
    return found


def _of_hub(session: Session, project: str, called: str) -> StoredEncoder:
    try:
        wanted = HubName.parse(called)
    except ValueError as error:
        raise invalid("unknown_encoder", str(error), POINTER) from error
    rows = session.scalars(
        repository.of_project(project)
        .where(ModelRow.origin == "imported")
        .order_by(ModelRow.id.desc())
    )
    for row in rows:
        told = row.card.get("imported", {}).get("hub") or {}
        known = told.get("commit") if wanted.is_pinned else told.get("revision")
        if (told.get("repository"), known) == wanted and (found := stored_of(row)):
            return found
    detail = (
        f"expected an encoder that is there, got none of this repository at this revision: `ktl "
        f"models add {called}` brings it"
    )
    raise invalid("weights_unavailable", detail, POINTER)
