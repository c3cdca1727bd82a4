"""Consequences of a stored file that was found damaged or gone: whatever holds it says so, until
the file is whole again."""

from collections.abc import Iterable, Iterator

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.database import Database
from app.datasets import repository as datasets
from app.errors import DamagedArtifact, WorkFailure
from app.jobs import repository as jobs
from app.jobs import work
from app.models import repository as models
from app.storage import Storage

log = structlog.get_logger(__name__)


def mark(database: Database, damage: DamagedArtifact) -> None:
    """Datasets and models that hold the file are `damaged`; no trial's results are taken from it.
    Where the database is away that is left to the next one who meets the file."""
    log.error("artifact_damaged", ref=damage.ref, code=damage.reason)
    try:
        with database.write() as session:
            datasets.mark_damaged(session, damage)
            models.mark_damaged(session, damage)
            work.lose_results(session, damage)
    except SQLAlchemyError as error:
        log.warning("damage_not_marked", ref=damage.ref, error=str(error))


def heal(database: Database, storage: Storage) -> None:
    """Lifts the marks of what is whole again. A file that nobody has touched since is not read."""
    with database.read() as session:
        marked = datasets.damaged(session), models.damaged(session)
    whole = (
        [row for row in marked[0] if _is_whole(storage, row.arrays.values())],
        [row for row in marked[1] if _is_whole(storage, row.files.values())],
    )
    if any(whole):
        with database.write() as session:
            for dataset in whole[0]:
                datasets.heal(session, dataset)
            for model in whole[1]:
                models.heal(session, model)


def verify(database: Database, storage: Storage) -> Iterator[WorkFailure | None]:
    """Reads every file that a row names, whatever was known of it: None where it is whole. Marks
    and heals on the way."""
    with database.read() as session:
        refs = {*datasets.refs(session), *models.refs(session), *jobs.refs(session)}
    for ref in sorted(refs):
        try:
            storage.verify(ref)
        except DamagedArtifact as damage:
            mark(database, damage)
            yield damage
        except WorkFailure as failure:
            yield failure
        else:
            yield None
    heal(database, storage)


def _is_whole(storage: Storage, refs: Iterable[str]) -> bool:
    try:
        for ref in refs:
            storage.local(ref)
    except WorkFailure:
        return False
    return True
