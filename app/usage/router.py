"""/v1/usage: what the caller's project holds, and may hold."""

from fastapi import APIRouter

from app.dependencies import Reader, ReadSession, SettingsOf, StorageOf
from app.settings import Settings
from app.storage import Storage
from app.turns import TurnRoute
from app.usage import repository
from app.usage.quotas import disk_of
from app.usage.schemas import BytesOut, DiskOut, LimitsOut, UsageOut

router = APIRouter(prefix="/v1", tags=["usage"], route_class=TurnRoute)


@router.get("/usage")
def show(
    session: ReadSession, caller: Reader, storage: StorageOf, settings: SettingsOf
) -> UsageOut:
    """Bytes by kind, counts, limits, and the free space of the store's disk."""
    kinds = repository.references(session, caller.project)
    sizes = storage.sizes(set().union(*kinds.values()))
    by_kind = {kind: sum(sizes.get(ref, 0) for ref in refs) for kind, refs in kinds.items()}
    datasets, jobs, running = repository.counts(session, caller.project)
    return UsageOut(
        project=caller.project,
        bytes=BytesOut(**by_kind, total=sum(by_kind.values())),
        datasets=datasets,
        jobs=jobs,
        running_trials=running,
        limits=LimitsOut(
            bytes=settings.quota_bytes or None,
            datasets=settings.quota_datasets or None,
            running_trials=settings.quota_running_trials or None,
            upload_bytes=settings.upload_limit_bytes,
        ),
        disk=_disk(storage, settings),
    )


def _disk(storage: Storage, settings: Settings) -> DiskOut | None:
    if storage.folder is None:
        return None
    disk = disk_of(storage.folder)
    return DiskOut(
        total_bytes=disk.total, free_bytes=disk.free, reserve_bytes=settings.disk_reserve_bytes
    )
