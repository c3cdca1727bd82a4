"""Limits of what a project may hold, and the room that is left for an upload."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.orm import Session

from app.errors import OverQuota, TooLarge, Unavailable
from app.settings import Settings
from app.storage import Storage
from app.usage import repository

CODE = "quota_exceeded"
WHAT_TO_DO = "delete datasets, jobs or models; GET /v1/usage says what holds how much"
FULL_RETRY_SECONDS = "60"
COPIES = 2  # an upload stands on this machine, then in the store too


@dataclass(frozen=True)
class UploadAllowance:
    """Amount that one upload may bring. `left`: of the project's quota; None where it has none.
    `folders`: where it will stand, and so many bytes stay free there."""

    limit: int
    left: int | None
    folders: tuple[Path, ...]
    reserve: int

    def check(self, size: int) -> None:
        """Raises TooLarge or OverQuota where a body of `size` bytes does not fit."""
        if size > self.limit:
            detail = f"expected a body of at most {self.limit} bytes, got {size} or more"
            raise TooLarge("too_large", detail)
        if self.left is not None and size > self.left:
            detail = f"expected at most the {self.left} bytes that are left to the project"
            raise OverQuota(CODE, f"{detail}, got {size} or more: {WHAT_TO_DO}")

    def check_disk(self, size: int) -> None:
        """Raises Unavailable `disk_full` where so much more would fill a disk."""
        for folder in self.folders:
            free = disk_of(folder).free
            if free < size + self.reserve:
                raise Unavailable(
                    "disk_full",
                    f"expected {size} bytes of room and {self.reserve} that stay free on the "
                    f"service's disk, got {free}: its operator must make room",
                    headers={"Retry-After": FULL_RETRY_SECONDS},
                )


def room(
    session: Session,
    storage: Storage,
    settings: Settings,
    project: str,
    datasets: int = 1,
    is_repeated: bool = False,
) -> UploadAllowance:
    """Returns the allowance for an upload of so many datasets that is about to come; of a
    repetition nothing is kept. Raises OverQuota where the project has as many as it may."""
    if is_repeated:
        return unmetered(storage, settings)
    if datasets:
        _check_count(repository.dataset_count(session, project) + datasets, settings)
    left = bytes_left(session, storage, settings, project)
    return replace(unmetered(storage, settings), left=left)


def unmetered(storage: Storage, settings: Settings) -> UploadAllowance:
    """Returns the allowance for a repetition of an upload, of which nothing is kept."""
    here = (settings.cache_dir, storage.folder)
    return UploadAllowance(
        limit=settings.upload_limit_bytes,
        left=None,
        folders=tuple(folder for folder in here if folder),
        reserve=settings.disk_reserve_bytes,
    )


def admit_dataset(session: Session, storage: Storage, settings: Settings, project: str) -> None:
    """Called with the new row in the session: raises OverQuota where it is one too many, or its
    files are."""
    admit(session, storage, settings, project)
    _check_count(repository.dataset_count(session, project), settings)


def admit(session: Session, storage: Storage, settings: Settings, project: str) -> None:
    """Raises OverQuota where the project holds more than it may. Until the commit, nothing else of
    the project is let in: two uploads that each fit alone would both be."""
    if settings.quota_bytes or settings.quota_datasets:
        repository.take_turns(session, "storing", project)
    left = bytes_left(session, storage, settings, project)
    if left is not None and left < 0:
        detail = f"expected at most {settings.quota_bytes} bytes in the project"
        raise OverQuota(CODE, f"{detail}, got {settings.quota_bytes - left}: {WHAT_TO_DO}")


def bytes_left(
    session: Session,
    storage: Storage,
    settings: Settings,
    project: str,
    besides: Iterable[str] = (),
) -> int | None:
    """Bytes left of the project's quota, perhaps less than 0; None where there is none. `besides`:
    files that do not count, as they are about to go."""
    if not settings.quota_bytes:
        return None
    refs = set().union(*repository.references(session, project).values()) - set(besides)
    return settings.quota_bytes - sum(storage.sizes(refs).values())


def _check_count(datasets: int, settings: Settings) -> None:
    quota = settings.quota_datasets
    if quota and datasets > quota:
        detail = f"expected at most {quota} datasets in the project, this would be one more"
        raise OverQuota(CODE, f"{detail}: delete one")


def disk_of(folder: Path) -> "shutil._ntuple_diskusage":
    """Disk of the folder, or of the first above it that is there."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there)
