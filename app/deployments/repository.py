"""All SQL about deployments. Callers commit."""

from collections.abc import Sequence

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import now
from app.errors import Conflict, NotFound
from app.identifiers import new_id
from app.tables.deployments import CanaryRow, DeploymentRow, DeploymentVersionRow
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
    """The name points to the model from the commit on: made, or moved with a new version, which
    ends a canary. A name that points there already stays as it is."""
    row = find(session, project, name, is_locked=True) or _made(session, project, name, model_id)
    if row.version and row.model_id == model_id:
        return row
    row.model_id, row.version, row.updated_at = model_id, row.version + 1, now()
    session.add(DeploymentVersionRow(deployment_id=row.id, version=row.version, model_id=model_id))
    end_canary(session, row)
    session.flush()
    return row


def canaries(session: Session, rows: Sequence[DeploymentRow]) -> dict[str, CanaryRow]:
    """Canaries by the ids of their deployments."""
    found = select(CanaryRow).where(CanaryRow.deployment_id.in_([row.id for row in rows]))
    return {each.deployment_id: each for each in session.scalars(found)}


def canary(session: Session, row: DeploymentRow) -> CanaryRow:
    """Raises Conflict where there is none."""
    found = session.get(CanaryRow, row.id)
    if found is None:
        raise Conflict("no_canary", f"expected a canary of `{row.name}`, got none: PUT one first")
    return found


def try_out(session: Session, row: DeploymentRow, model_id: str, percent: int) -> None:
    """The model answers so many of each 100 requests from the commit on."""
    found = session.get(CanaryRow, row.id) or CanaryRow(deployment_id=row.id)
    if found.model_id != model_id:
        found.created_at = now()
    found.model_id, found.percent = model_id, percent
    session.add(found)
    session.flush()


def end_canary(session: Session, row: DeploymentRow) -> None:
    session.execute(delete(CanaryRow).where(CanaryRow.deployment_id == row.id))


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
