"""All SQL about datasets. A deleted dataset, and another project's, is not found."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

from sqlalchemy import Select, String, cast, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import naming
from app.database import announce, clock, now
from app.datasets.catalogue import CATALOGUE, PREFIX
from app.datasets.schemas import Schema
from app.datasets.stored import named
from app.errors import (
    Conflict,
    DamagedArtifact,
    FailureCode,
    Invalid,
    NotFound,
    WorkFailure,
)
from app.identifiers import new_id
from app.messages import IngestDataset
from app.tables.datasets import DatasetRow
from app.tables.jobs import ENDED, JobRow

RETRY_SECONDS = "1"
SHOWN_JOBS = 5
NAMED = naming.NamedKind("datasets", "ds_", DatasetRow.id, DatasetRow.name)


class Twin(NamedTuple):
    """A dataset that holds the same data as another."""

    id: str
    name: str


def find(
    session: Session, project: str, reference: str, lock: Literal["share"] | None = None
) -> DatasetRow:
    """`reference`: `ds_…`, `catalog:NAME` or a dataset's name. Locked until the commit where asked.
    Raises NotFound, and Conflict for a name that several datasets have."""
    statement = of_project(project)
    if reference.startswith(PREFIX):
        statement = statement.where(DatasetRow.origin_key == reference)
    else:
        statement = statement.where(DatasetRow.id == id_of(session, project, reference))
    if lock:
        statement = statement.with_for_update(read=True)
    row = session.scalar(statement)
    if row is None:
        raise NotFound("dataset_not_found", f"no dataset {reference[:80]} in this project")
    return row


def id_of(session: Session, project: str, reference: str, pointer: str | None = None) -> str:
    """The id of the dataset that `reference` is the id or the name of; a name of the catalogue, and
    an unknown one, stay. Raises Conflict for a name that several datasets have."""
    if reference.startswith(PREFIX):
        return reference
    kept = (DatasetRow.project == project, DatasetRow.deleted_at.is_(None))
    return naming.id_of(session, NAMED, reference, *kept, pointer=pointer)


def obtain_from_catalogue(
    session: Session, project: str, name: str, called: str | None = None
) -> DatasetRow:
    """The project's dataset of that name in the catalogue: made at the first call, taken in again
    where that failed before, or where its files are damaged. `called`: its name for people. Raises
    NotFound."""
    if name not in CATALOGUE:
        known = ", ".join(CATALOGUE)
        raise NotFound("dataset_not_found", f"expected one of {known}, got {name[:80]}")
    reference = CATALOGUE[name].reference
    of_name = select(DatasetRow).where(
        DatasetRow.project == project, DatasetRow.origin_key == reference
    )
    row = session.scalar(of_name)
    if row is None:
        try:
            with session.begin_nested():
                return add(
                    session,
                    DatasetRow(
                        project=project,
                        name=called or name,
                        origin=reference,
                        origin_key=reference,
                        spec={"name": called or name},
                    ),
                )
        except IntegrityError:  # another request was first
            row = session.scalars(of_name).one()
    session.refresh(row, with_for_update=True)
    if row.status in {"failed", "damaged"}:
        row.status, row.error, row.attempt, row.publish_count = "ingesting", None, 0, 0
        _start(session, row)
    return row


def add(session: Session, row: DatasetRow) -> DatasetRow:
    """Gives the row its id and wakes a worker for it, once committed."""
    row.id = new_id("ds")
    session.add(row)
    session.flush()
    _start(session, row)
    return row


def of_project(project: str, status: str | None = None) -> Select[DatasetRow]:
    statement = select(DatasetRow).where(
        DatasetRow.project == project, DatasetRow.deleted_at.is_(None)
    )
    return statement.where(DatasetRow.status == status) if status else statement


def twins(session: Session, project: str, rows: Sequence[DatasetRow]) -> dict[str, list[Twin]]:
    """Datasets that hold the same data as one of the rows, the oldest first, by the row's id."""
    hashes = {row.content_hash for row in rows if row.content_hash}
    equal = select(DatasetRow.content_hash, DatasetRow.id, DatasetRow.name).where(
        DatasetRow.project == project,
        DatasetRow.deleted_at.is_(None),
        DatasetRow.content_hash.in_(hashes),
    )
    by_hash: dict[str | None, list[Twin]] = defaultdict(list)
    for content, *twin in session.execute(equal.order_by(DatasetRow.id)) if hashes else ():
        by_hash[content].append(Twin(*twin))
    return {
        row.id: [twin for twin in by_hash.get(row.content_hash, []) if twin.id != row.id]
        for row in rows
    }


def schema_of(row: DatasetRow) -> Schema:
    """Returns what jobs are checked against. Raises Conflict while nothing is known or the stored
    files are damaged, Invalid where the intake failed."""
    if row.status in {"ingesting", "damaged"} and row.origin_key:
        return CATALOGUE[row.origin.removeprefix(PREFIX)].schema
    return ready_schema_of(row)


def ready_schema_of(row: DatasetRow) -> Schema:
    if row.status == "failed":
        reason = (row.error or {}).get("message", "unknown")
        detail = f"expected a dataset that is ready; the intake of {row.id} failed: {reason}"
        raise Invalid("dataset_failed", detail)
    if row.status == "damaged":
        error = row.error or {}
        raise Conflict(error["code"], error["message"])
    if row.schema is None:
        detail = f"expected a dataset that is ready, {row.id} is still being taken in"
        raise Conflict("dataset_not_ready", detail, headers={"Retry-After": RETRY_SECONDS})
    return Schema.model_validate(row.schema)


def mark_damaged(session: Session, damage: DamagedArtifact) -> None:
    """All that hold the file, of any project: what is equal is stored once."""
    holding = cast(DatasetRow.arrays, String).contains(damage.ref, autoescape=True)
    whole = (DatasetRow.status == "ready") & DatasetRow.deleted_at.is_(None)
    for row in session.scalars(select(DatasetRow).where(whole, holding).with_for_update()):
        row.status, row.error = "damaged", named(damage, row).as_json()
    session.flush()


def damaged(session: Session) -> list[DatasetRow]:
    marked = (DatasetRow.status == "damaged") & DatasetRow.deleted_at.is_(None)
    return list(session.scalars(select(DatasetRow).where(marked)))


def refs(session: Session) -> set[str]:
    """The stored arrays of all projects."""
    held = select(DatasetRow.arrays).where(DatasetRow.deleted_at.is_(None))
    return {ref for arrays in session.scalars(held) for ref in arrays.values()}


def heal(session: Session, row: DatasetRow) -> None:
    """Lifts the mark, unless the row has become something else meanwhile."""
    still = (DatasetRow.id == row.id) & (DatasetRow.status == "damaged")
    session.execute(update(DatasetRow).where(still).values(status="ready", error=None))


def delete(session: Session, row: DatasetRow) -> None:
    """Deletes a dataset. Its files go with the next sweep, unless another row shares them. Raises
    Conflict while a job needs it."""
    session.refresh(row, with_for_update=True)
    open_jobs = session.execute(
        select(JobRow.id, JobRow.target_id, JobRow.source_ids).where(
            JobRow.project == row.project, JobRow.status.not_in(ENDED)
        )
    )
    users = [job for job, target, sources in open_jobs if row.id in {target, *sources}]
    if users:
        shown = ", ".join(users[:SHOWN_JOBS])
        detail = f"expected a dataset that no open job needs, {row.id} is needed by {shown}"
        raise Conflict("dataset_in_use", detail)
    row.deleted_at, row.origin_key = now(), None  # the catalogue's name is free again
    if row.status == "ingesting":  # whoever takes it in finds its lease gone
        gone = WorkFailure(FailureCode.DATASET_FAILED, "it was deleted", stage="intake")
        row.status, row.error = "failed", gone.as_json()
        row.token = row.owner = row.lease_until = None
    session.flush()


def _start(session: Session, row: DatasetRow) -> None:
    row.published_at = session.scalar(select(clock()))
    session.flush()
    announce(session, IngestDataset(row.id))
