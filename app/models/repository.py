"""All SQL about models. Callers commit."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, String, cast, null, select, update
from sqlalchemy.orm import Session

from app import naming
from app.database import announce, clock, now
from app.errors import Conflict, DamagedArtifact, Finding, NotFound, invalid
from app.identifiers import new_id
from app.messages import ImportModel
from app.models.schemas import ModelStatus, Signature
from app.models.stored import named
from app.tables.deployments import CanaryRow, DeploymentRow
from app.tables.jobs import ENDED, JobRow
from app.tables.model_imports import ModelImportRow
from app.tables.models import ModelRow

SHOWN_JOBS = 5
RETRY_SECONDS = "1"
NAMED = naming.NamedKind("models", "mdl_", ModelRow.id, ModelRow.name)


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


def add_import(
    session: Session, project: str, name: str, spec: dict[str, Any], files: list[dict[str, Any]]
) -> ModelRow:
    """A model of an uploaded file, and a worker woken to read it, once committed."""
    row = ModelRow(
        id=new_id("mdl"),
        project=project,
        name=name,
        origin="imported",
        files={},
        signature={},
        card={},
    )
    session.add(row)
    session.flush()
    work = ModelImportRow(
        id=new_id("imp"), model_id=row.id, project=project, spec=spec, files=files
    )
    work.published_at = session.scalar(select(clock()))
    session.add(work)
    session.flush()
    announce(session, ImportModel(work.id))
    return row


def import_of(session: Session, model_id: str) -> ModelImportRow | None:
    return session.scalar(select(ModelImportRow).where(ModelImportRow.model_id == model_id))


def settle_import(
    session: Session,
    model_id: str,
    files: dict[str, str],
    signature: Signature,
    card: dict[str, Any],
) -> None:
    """Called under the lease of its import: the model becomes what was read, unless it has been
    deleted since."""
    row = session.get(ModelRow, model_id, with_for_update=True)
    if row is not None and row.deleted_at is None:
        row.files, row.signature, row.card = files, signature.model_dump(mode="json"), card
    session.flush()


def status_of(session: Session, row: ModelRow) -> tuple[ModelStatus, dict[str, Any] | None]:
    """The row's status and its error."""
    if row.error:
        return "damaged", row.error
    if row.signature:
        return "ready", None
    work = import_of(session, row.id)
    if work is not None and work.status == "failed":
        return "failed", work.error
    return "importing", None


def ready_signature(session: Session, row: ModelRow, pointer: str) -> Signature:
    """Returns what the model is asked. Raises Conflict while it is being imported or a file of it
    is damaged, Invalid where the import failed; `pointer` says where in a body it was named."""
    status, error = status_of(session, row)
    match status:
        case "importing":
            detail = f"expected a model that is ready, {row.id} is still being read"
            headers = {"Retry-After": RETRY_SECONDS}
            raise Conflict("model_not_ready", detail, Finding(detail, pointer), headers=headers)
        case "failed":
            reason = (error or {}).get("message", "unknown")
            detail = f"expected a model that is ready; the import of {row.id} failed: {reason}"
            raise invalid("model_failed", detail, pointer)
        case "damaged":
            told = error or {}
            raise Conflict(told["code"], told["message"], Finding(told["message"], pointer))
        case "ready":
            return Signature.model_validate(row.signature)


def of_project(project: str) -> Select[ModelRow]:
    return select(ModelRow).where(ModelRow.project == project, ModelRow.deleted_at.is_(None))


def id_of(session: Session, project: str, reference: str, pointer: str | None = None) -> str:
    """The id of the model that `reference` is the id or the name of; an unknown name stays. Raises
    Conflict for a name that several models have."""
    kept = (ModelRow.project == project, ModelRow.deleted_at.is_(None))
    return naming.id_of(session, NAMED, reference, *kept, pointer=pointer)


def get(
    session: Session,
    project: str,
    reference: str,
    *,
    is_locked: bool = False,
    pointer: str | None = None,
) -> ModelRow:
    """`reference`: the model's id or its name. A locked model is neither deleted nor deployed by
    another until the commit. `pointer` says where in the body it stood. Raises NotFound, and
    Conflict for a name that several models have."""
    statement = of_project(project).where(
        ModelRow.id == id_of(session, project, reference, pointer)
    )
    row = session.scalar(statement.with_for_update() if is_locked else statement)
    if row is None:
        detail = "expected the id or the name of a model, got an unknown one"
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


def find(session: Session, model_id: str) -> ModelRow | None:
    """Returns a model of any project, also a deleted one."""
    return session.get(ModelRow, model_id)


def names_of(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """Names by the models' ids. One that was deleted, and swept, has its id alone."""
    asked = {each: each for each in ids}
    named = select(ModelRow.id, ModelRow.name).where(ModelRow.id.in_([*asked]))
    return asked | dict(session.execute(named).all())


def deployed_as(session: Session, model_ids: Iterable[str]) -> dict[str, list[str]]:
    """The names of the deployments that point to each of the models."""
    names: dict[str, list[str]] = {each: [] for each in model_ids}
    pointed = select(DeploymentRow.model_id, DeploymentRow.name)
    pointed = pointed.where(DeploymentRow.model_id.in_([*names])).order_by(DeploymentRow.name)
    for model_id, name in session.execute(pointed):
        names[model_id].append(name)
    return names


def tried_as(session: Session, model_id: str) -> list[str]:
    """The names of the deployments whose canary the model is."""
    statement = (
        select(DeploymentRow.name)
        .join(CanaryRow, CanaryRow.deployment_id == DeploymentRow.id)
        .where(CanaryRow.model_id == model_id)
    )
    return list(session.scalars(statement.order_by(DeploymentRow.name)))


def remove(session: Session, row: ModelRow) -> None:
    """`row` is locked. Its files go with the next sweep, unless another row shares them. Raises
    Conflict while a deployment or an open job needs it."""
    if names := deployed_as(session, [row.id])[row.id]:
        detail = f"expected a model that is not deployed, got one that serves {', '.join(names)}"
        raise Conflict("model_deployed", detail)
    if names := tried_as(session, row.id):
        detail = f"expected a model that is not deployed, got the canary of {', '.join(names)}"
        raise Conflict("model_deployed", detail)
    open_jobs = session.execute(
        select(JobRow.id, JobRow.source_ids, JobRow.spec).where(
            JobRow.project == row.project, JobRow.status.not_in(ENDED)
        )
    )
    users = [
        job for job, sources, spec in open_jobs if row.id in sources or row.id == _encoder_of(spec)
    ]
    if users:
        shown = ", ".join(users[:SHOWN_JOBS])
        detail = f"expected a model that no open job needs, {row.id} is needed by {shown}"
        raise Conflict("model_in_use", detail)
    row.deleted_at = now()
    session.flush()


def _encoder_of(spec: dict[str, Any]) -> str | None:
    """The model that a job's encoder is."""
    stored = spec.get("model", {}).get("params", {}).get("stored") or {}
    found: str | None = stored.get("model")
    return found
