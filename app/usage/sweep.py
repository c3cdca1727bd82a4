"""Frees what nobody needs: files of the store that no row names, copies of S3's files that this
machine has fetched, and folders of processes that were killed.

Mark and sweep. Files are shared between rows, so none is deleted with a row; what no row names any
more goes, once it is older than the grace period. A file is new when it was put, also where it was
there already, so that one whose row is not yet committed stays. Any number of processes may sweep
at once. docs/decisions/what-a-sweep-frees.md says why it cannot take what is needed.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from app.database import Database
from app.errors import WorkFailure
from app.settings import Settings
from app.storage import OWNERS
from app.usage import repository
from app.usage.inventory import Inventory, Stored
from app.usage.work_folder import abandoned, remove

log = structlog.get_logger(__name__)


class ForeignStore(Exception):
    """The store holds files of another database; the message says what to do."""


@dataclass
class SweepResult:
    """Files that went, or would have gone."""

    files: list[Stored] = field(default_factory=list)  # of the store
    copies: list[Stored] = field(default_factory=list)  # of S3's files, on this machine
    folders: list[Path] = field(default_factory=list)  # of processes that were killed
    rows: int = 0

    @property
    def bytes(self) -> int:
        return sum(stored.bytes for stored in (*self.files, *self.copies))


def sweep(
    database: Database, settings: Settings, *, is_dry: bool = False, adopts: bool = False
) -> SweepResult:
    """Sweeps once through everything. `is_dry`: deletes nothing. `adopts`: the store's files are
    this database's, whoever has said otherwise. Raises ForeignStore, and WorkFailure where the
    store fails.
    """
    inventory = Inventory(settings.storage, settings.cache_dir)
    freed = SweepResult()
    if not is_dry:
        with database.write() as session:
            freed.rows = repository.purge(session)
    moment = _claim(database, inventory, adopts=adopts, is_dry=is_dry)
    before = moment - settings.gc_grace_seconds
    stored = list(inventory.files())  # first: what is put from now on is not among them
    wanted = _wanted(database)
    free = inventory.is_older if is_dry else inventory.discard
    for file in stored:
        if file.ref not in wanted:
            try:
                freed.files += [file] if free(file.ref, before) else []
            except WorkFailure as failure:  # the others go all the same
                log.warning("file_not_freed", ref=file.ref, reason=failure.detail)
    if not is_dry:
        inventory.discard_empty_folders(before)
        repository.forget_traces(database)
    _tidy(settings, inventory, wanted, freed, is_dry)
    return freed


def sweep_machine(database: Database, settings: Settings) -> None:
    """Sweeps what stands on this machine: copies of the store's files, and folders. Each of its
    processes may call this often; one sweeps, when its time has come."""
    mark = settings.cache_dir / "swept"
    if _is_due(mark.stat().st_mtime if mark.exists() else None, settings):
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        freed = SweepResult()
        inventory = Inventory(settings.storage, settings.cache_dir)
        has_copies = inventory.copies((), time.time())
        wanted = _wanted(database) if has_copies else set()
        _tidy(settings, inventory, wanted, freed, is_dry=False)
        _tell(freed)


def sweep_now_and_then(database: Database, settings: Settings) -> None:
    """One round of an API process's thread: of all such, one sweeps the store when its time has
    come, and one on each machine what stands there."""
    inventory = Inventory(settings.storage, settings.cache_dir)
    try:
        if _is_due(inventory.written(f"{OWNERS}/{_name(database)}"), settings):
            _tell(sweep(database, settings))
        sweep_machine(database, settings)
    except (ForeignStore, WorkFailure) as error:
        log.warning("store_not_swept", reason=str(error))


def _is_due(last: float | None, settings: Settings) -> bool:
    """True also where the last time is far ahead: a clock that was wrong has been set right."""
    return last is None or abs(time.time() - last) >= settings.gc_interval_seconds


def _tell(freed: SweepResult) -> None:
    if freed.files or freed.copies or freed.folders or freed.rows:
        log.info(
            "swept",
            files=len(freed.files),
            copies=len(freed.copies),
            folders=len(freed.folders),
            rows=freed.rows,
            bytes=freed.bytes,
        )


def _claim(database: Database, inventory: Inventory, *, adopts: bool, is_dry: bool) -> float:
    """Now, by the store's clock. A database that was named by mistake names none of the store's
    files, and would have all of them deleted: whoever sweeps has registered before."""
    own = _name(database)
    owners = inventory.names(OWNERS)
    is_lost = not adopts and not owners and _holds_only_foreign(database, inventory)
    others = owners - {own}
    moment = time.time()
    if not is_dry and not is_lost:
        moment = inventory.mark(f"{OWNERS}/{own}")
    if is_lost:
        raise ForeignStore(
            "expected a store of this database's files, got one with files none of which this "
            "database names: is KTL_DATABASE_URL right? If nobody needs them, `ktl gc --adopt` once"
        )
    if others and not adopts:
        raise ForeignStore(
            f"expected a store of this database's files alone ({own}), got one that "
            f"{', '.join(sorted(others))} has registered in too (its folder `{OWNERS}`): give each "
            "database a store of its own. If the others are no more, `ktl gc --adopt` once"
        )
    if not is_dry:
        for other in others:
            inventory.delete(f"{OWNERS}/{other}")
    return moment


def _holds_only_foreign(database: Database, inventory: Inventory) -> bool:
    stored = {file.ref for file in inventory.files() if not file.ref.startswith("probe/")}
    return bool(stored) and not stored & _wanted(database)


def _name(database: Database) -> str:
    with database.read() as session:
        if found := repository.installation(session):
            return found
    with database.write() as session:
        return repository.name_installation(session)


def _wanted(database: Database) -> set[str]:
    with database.read() as session:
        return set().union(*repository.references(session).values())


def _tidy(
    settings: Settings, inventory: Inventory, wanted: set[str], freed: SweepResult, is_dry: bool
) -> None:
    freed.copies = inventory.copies(wanted, time.time() - settings.gc_grace_seconds)
    freed.folders = list(abandoned(settings.cache_dir))
    if not is_dry:
        for copy in freed.copies:
            inventory.discard_copy(copy.ref)
        for folder in freed.folders:
            remove(folder)
