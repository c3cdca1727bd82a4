"""All SQL about models. Callers commit."""

from typing import Any

from sqlalchemy import Select, String, cast, null, select, update
from sqlalchemy.orm import Session

from app.database import now
from app.errors import Conflict, DamagedArtifact, Finding, NotFound
from app.identifiers import new_id
from app.models.schemas import Signature
from app.models.stored import named
from app.tables.deployments import DeploymentRow
from app.tables.jobs import ENDED, JobRow
from app.tables.models import ModelRow

SHOWN_JOBS = 5


def add(
    session: Session,
    project: str,
    name: str,
    job_id: str | None,
    trial_id: str | None,
    files: dict[str, Any],
    signature: Signature,
    card: dict[str, Any],
) -> ModelRow:
    """`files`: refs of `onnx`, `keras` and `golden`; `signature`: a
    app.models.schemas.Signature as JSON."""
    row = ModelRow(
        id=new_id("mdl"),
        project=project,
        name=name,
        job_id=job_id,
        trial_id=trial_id,
        files=files,
        signature=signature.model_dump(mode="json"),
        card=card,
    )
    session.add(row)
    session.flush()
    return row


def of_project(project: str) -> Select[ModelRow]:
    return select(ModelRow).where(ModelRow.project == project, ModelRow.deleted_at.is_(None))


def get(
    session: Session,
    project: str,
    model_id: str,
    *,
    is_locked: bool = False,
    pointer: str | None = None,
) -> ModelRow:
    """A locked model is neither deleted nor deployed by another until the commit. `pointer` says
    where in the body the id stood. Raises NotFound."""
    statement = of_project(project).where(ModelRow.id == model_id)
    row = session.scalar(statement.with_for_update() if is_locked else statement)
    if row is None:
        detail = "expected the id of a model, got an unknown one"
        raise NotFound("model_not_found", detail, *([Finding(detail, pointer)] if pointer else []))
    return row


def mark_damaged(session: Session, damage: DamagedArtifact) -> None:
    """All that hold the file, of any project: what is equal is stored once."""
    holding = cast(ModelRow.files, String).contains(damage.ref, autoescape=True)
    statement = select(ModelRow).where(ModelRow.deleted_at.is_(None), holding)
    for row in session.scalars(statement.with_for_update()):
        row.error = row.error or named(damage, row).as_json()
    session.flush()


def damaged(session: Session) -> list[ModelRow]:
    marked = ModelRow.error.is_not(None) & ModelRow.deleted_at.is_(None)
    return list(session.scalars(select(ModelRow).where(marked)))


def refs(session: Session) -> set[str]:
    """The stored files of all projects."""
    held = select(ModelRow.files).where(ModelRow.deleted_at.is_(None))
    return {ref for files in session.scalars(held) for ref in files.values()}


def heal(session: Session, row: ModelRow) -> None:
    session.execute(update(ModelRow).where(ModelRow.id == row.id).values(error=null()))


def deployed_as(session: Session, model_id: str) -> list[str]:
    """The names of the deployments that point to the model."""
    statement = select(DeploymentRow.name).where(DeploymentRow.model_id == model_id)
    return list(session.scalars(statement.order_by(DeploymentRow.name)))


def remove(session: Session, row: ModelRow) -> None:
    """`row` is locked. Its files go with the next sweep, unless another row shares them. Raises
    Conflict while a deployment or an open job needs it."""
    if names := deployed_as(session, row.id):
        detail = f"expected a model that is not deployed, got one that serves {', '.join(names)}"
        raise Conflict("model_deployed", detail)
    open_jobs = session.execute(
        select(JobRow.id, JobRow.source_ids).where(
            JobRow.project == row.project, JobRow.status.not_in(ENDED)
        )
    )
    if users := [job for job, sources in open_jobs if row.id in sources]:
        shown = ", ".join(users[:SHOWN_JOBS])
        detail = f"expected a model that no open job needs, {row.id} is needed by {shown}"
        raise Conflict("model_in_use", detail)
    row.deleted_at = now()
    session.flush()
