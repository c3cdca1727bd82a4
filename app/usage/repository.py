"""All SQL about what is stored: which files rows name, what a project holds, what may go."""

from collections.abc import Iterable
from contextlib import closing
from typing import Literal
from uuid import uuid4

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import Database
from app.inputs.encoders import ALL_ENCODERS
from app.tables.audits import AuditRow
from app.tables.datasets import DatasetRow
from app.tables.deployments import CanaryRow, DeploymentRow
from app.tables.encoders import EncoderRow, FeatureChunkRow
from app.tables.jobs import JobRow, TrialRow
from app.tables.model_imports import ModelImportRow
from app.tables.models import ModelRow
from app.tables.next_labels import NextLabelsRow
from app.tables.usage import InstallationRow

Kind = Literal["datasets", "models", "features", "weights", "predictions", "checkpoints"]
References = dict[Kind, set[str]]
BATCH = 1000  # rows that one statement changes


def installation(session: Session) -> str | None:
    """The database's name, once it has one."""
    return session.scalar(select(InstallationRow.id))


def name_installation(session: Session) -> str:
    """Gives the database a name, unless another process was first."""
    try:
        with session.begin_nested():
            session.add(InstallationRow(number=1, id=uuid4().hex))
    except IntegrityError:
        pass
    return session.scalars(select(InstallationRow.id)).one()


def references(session: Session, project: str | None = None) -> References:
    """The files that rows name, all at one moment; those of one project, or of all. A file of
    several kinds is the first one's."""
    if project is None and session.get_bind().dialect.name == "postgresql":
        # A row may take a file over from another, which is then deleted: both are seen as of now.
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    found: References = {
        "datasets": _of_datasets(session, project),
        "models": _of_models(session, project),
        "features": _of_features(session, project),
        "weights": set(),
        "predictions": set(),
        "checkpoints": set(),
    }
    trials = select(TrialRow.weights, TrialRow.predictions, TrialRow.checkpoint)
    if project is not None:
        trials = trials.join(JobRow, JobRow.id == TrialRow.job_id).where(JobRow.project == project)
    for weights, predictions, checkpoint in session.execute(trials):
        found["weights"].update(_given(weights))
        found["predictions"].update(_given(predictions))
        found["checkpoints"].update(_given(checkpoint))
    seen: set[str] = set()
    for refs in found.values():
        refs.difference_update(seen)
        seen |= refs
    return found


def counts(session: Session, project: str) -> tuple[int, int, int]:
    """Numbers of the project's datasets, jobs and running trials."""
    jobs = select(func.count()).select_from(JobRow).where(JobRow.project == project)
    running = (
        select(func.count())
        .select_from(TrialRow)
        .join(JobRow, JobRow.id == TrialRow.job_id)
        .where(JobRow.project == project, TrialRow.status == "running")
    )
    return (
        dataset_count(session, project),
        session.scalar(jobs) or 0,
        session.scalar(running) or 0,
    )


def dataset_count(session: Session, project: str) -> int:
    kept = (DatasetRow.project == project) & DatasetRow.deleted_at.is_(None)
    return session.scalar(select(func.count()).select_from(DatasetRow).where(kept)) or 0


def take_turns(session: Session, what: Literal["storing", "claiming"], project: str) -> None:
    """One transaction of the project at a time, until its commit. SQLite's BEGIN IMMEDIATE sees to
    it."""
    if session.get_bind().dialect.name == "postgresql":
        number = func.hashtextextended(f"{what}/{project}", 0)
        session.execute(select(func.pg_advisory_xact_lock(number)))


def purge(session: Session) -> int:
    """Removes rows that were deleted and that nothing shows any more, and what the others say of
    their data; returns how many rows went. Rows that another works on are left to the next time."""
    _forget_checkpoints(session)
    return _purge_models(session) + _purge_datasets(session) + _purge_features(session)


def forget_traces(database: Database) -> None:
    """SQLite's log holds what was deleted until it is written again. Whoever reads at this moment
    keeps it so until the next time."""
    if database.engine.dialect.name != "sqlite":
        return
    with closing(database.engine.raw_connection()) as connection:
        for pragma in ("busy_timeout=100", "wal_checkpoint(TRUNCATE)", "busy_timeout=15000"):
            connection.cursor().execute(f"PRAGMA {pragma}").fetchall()


def _forget_checkpoints(session: Session) -> None:
    """Forgets checkpoints of jobs that nobody can retry."""
    over = select(JobRow.id).where(JobRow.status.in_(("succeeded", "cancelled")))
    left = select(TrialRow.id).where(TrialRow.checkpoint.is_not(None), TrialRow.job_id.in_(over))
    ids = session.scalars(left.limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(
        update(TrialRow)
        .where(TrialRow.id.in_(ids))
        .values(checkpoint=None)
        .execution_options(synchronize_session=False)
    )


def _purge_models(session: Session) -> int:
    """Jobs that started from a model keep its name and its signature."""
    deleted = select(ModelRow).where(
        ModelRow.deleted_at.is_not(None),
        ModelRow.id.not_in(select(DeploymentRow.model_id)),
        ModelRow.id.not_in(select(CanaryRow.model_id)),
    )
    rows = session.scalars(deleted.with_for_update(skip_locked=True)).all()
    shown = _shown(session) if rows else set()
    gone = [row for row in rows if row.id not in shown]
    for row in rows:
        row.files, row.card = {}, {}
    for row in gone:
        session.delete(row)
    session.flush()
    return len(gone)


def _purge_datasets(session: Session) -> int:
    """Ended jobs keep their results, and with these the classes and the name of their datasets."""
    deleted = select(DatasetRow).where(DatasetRow.deleted_at.is_not(None))
    rows = session.scalars(deleted.with_for_update(skip_locked=True)).all()
    if not rows:
        return 0
    shown = _shown(session)
    gone = [row for row in rows if row.id not in shown]
    for said in (AuditRow, NextLabelsRow):
        session.execute(delete(said).where(said.dataset_id.in_([row.id for row in rows])))
    for row in rows:
        row.files, row.arrays, row.spec, row.profile = [], {}, {}, None
    for row in gone:
        session.delete(row)
    session.flush()
    return len(gone)


def _shown(session: Session) -> set[str]:
    """Datasets and models that jobs are made of."""
    named = session.execute(select(JobRow.target_id, JobRow.source_ids))
    return {each for target, sources in named for each in (target, *sources)}


def _purge_features(session: Session) -> int:
    """Features of what no dataset holds any more, and encoders that this release makes anew: both
    can be computed again."""
    current = [(entry.name, entry.revision) for entry in ALL_ENCODERS.values()]
    added = _added_encoders(session)
    known = {
        row.id: row.id in added or (row.name, row.revision) in current
        for row in session.scalars(select(EncoderRow))
    }
    old = [encoder_id for encoder_id, is_current in known.items() if not is_current]
    session.execute(delete(EncoderRow).where(EncoderRow.id.in_(old)))
    encoded = select(FeatureChunkRow.encoder_id, FeatureChunkRow.array).distinct()
    kept, gone = _of_datasets(session, None), 0
    for encoder_id, array in session.execute(encoded).all():
        if array in kept and known.get(encoder_id):
            continue
        own = (FeatureChunkRow.encoder_id == encoder_id) & (FeatureChunkRow.array == array)
        session.execute(delete(FeatureChunkRow).where(own))
        gone += 1
    return gone + len(old)


def _added_encoders(session: Session) -> set[str]:
    """Hashes of the encoders that models are."""
    kept = select(ModelRow.card).where(ModelRow.deleted_at.is_(None), ModelRow.origin == "imported")
    told = [card.get("encoder") for card in session.scalars(kept)]
    return {encoder["sha256"] for encoder in told if encoder}


def _of_features(session: Session, project: str | None) -> set[str]:
    """Features of a project: those of its datasets, whoever had them computed. Encoders are
    everybody's."""
    arrays = None if project is None else _of_datasets(session, project)
    computed = select(FeatureChunkRow.array, FeatureChunkRow.ref).where(
        FeatureChunkRow.ref.is_not(None)
    )
    found = {
        ref
        for array, ref in session.execute(computed)
        if ref and (arrays is None or array in arrays)
    }
    if project is None:
        for files in session.scalars(select(EncoderRow.files)):
            found.update(files.values())
    return found


def _of_datasets(session: Session, project: str | None) -> set[str]:
    kept = select(DatasetRow.files, DatasetRow.arrays).where(DatasetRow.deleted_at.is_(None))
    if project is not None:
        kept = kept.where(DatasetRow.project == project)
    found: set[str] = set()
    for files, arrays in session.execute(kept):
        found.update((file["ref"] for file in files), arrays.values())
    return found


def _of_models(session: Session, project: str | None) -> set[str]:
    kept = select(ModelRow.files).where(ModelRow.deleted_at.is_(None))
    raw = select(ModelImportRow.files).join(ModelRow, ModelRow.id == ModelImportRow.model_id)
    raw = raw.where(ModelRow.deleted_at.is_(None))
    if project is not None:
        kept = kept.where(ModelRow.project == project)
        raw = raw.where(ModelRow.project == project)
    found = {ref for files in session.scalars(kept) for ref in files.values()}
    return found | {file["ref"] for files in session.scalars(raw) for file in files}


def _given(ref: str | None) -> Iterable[str]:
    return () if ref is None else (ref,)
