"""All SQL about deployments. Callers commit."""

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import now
from app.errors import Conflict, NotFound
from app.identifiers import new_id
from app.tables.deployments import DeploymentRow, DeploymentVersionRow
from app.tables.models import ModelRow


def of_project(project: str) -> Select[DeploymentRow]:
    return select(DeploymentRow).where(DeploymentRow.project == project)


def find(
    session: Session, project: str, name: str, *, is_locked: bool = False
) -> DeploymentRow | None:
    statement = of_project(project).where(DeploymentRow.name == name)
    return session.scalar(statement.with_for_update() if is_locked else statement)


def get(session: Session, project: str, name: str, *, is_locked: bool = False) -> DeploymentRow:
    row = find(session, project, name, is_locked=is_locked)
    if row is None:
        raise NotFound("deployment_not_found", "expected a deployment's name, got an unknown one")
    return row


def point(session: Session, project: str, name: str, model_id: str) -> DeploymentRow:
    """The name points to the model from the commit on: made, or moved with a new version. A name
    that points there already stays as it is."""
    row = find(session, project, name, is_locked=True) or _made(session, project, name, model_id)
    if row.version and row.model_id == model_id:
        return row
    row.model_id, row.version, row.updated_at = model_id, row.version + 1, now()
    session.add(DeploymentVersionRow(deployment_id=row.id, version=row.version, model_id=model_id))
    session.flush()
    return row


def history(session: Session, row: DeploymentRow) -> list[DeploymentVersionRow]:
    """Newest first."""
    statement = (
        select(DeploymentVersionRow)
        .where(DeploymentVersionRow.deployment_id == row.id)
        .order_by(DeploymentVersionRow.version.desc())
    )
    return list(session.scalars(statement))


def model_before(session: Session, row: DeploymentRow) -> str:
    """The newest model before the current one that is still there; Conflict where none is."""
    statement = (
        select(DeploymentVersionRow.model_id)
        .join(ModelRow, ModelRow.id == DeploymentVersionRow.model_id)
        .where(
            DeploymentVersionRow.deployment_id == row.id,
            DeploymentVersionRow.version < row.version,
            DeploymentVersionRow.model_id != row.model_id,
            ModelRow.deleted_at.is_(None),
        )
        .order_by(DeploymentVersionRow.version.desc())
        .limit(1)
    )
    model_id = session.scalar(statement)
    if model_id is None:
        detail = f"expected an earlier model of `{row.name}` to go back to, got none"
        raise Conflict("no_earlier_version", detail)
    return model_id


def remove(session: Session, row: DeploymentRow) -> None:
    session.execute(delete(DeploymentRow).where(DeploymentRow.id == row.id))


def _made(session: Session, project: str, name: str, model_id: str) -> DeploymentRow:
    """Version 0 until it is pointed. Another transaction may make the same name at this moment."""
    row = DeploymentRow(id=new_id("dep"), project=project, name=name, model_id=model_id, version=0)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return get(session, project, name, is_locked=True)
    return row
