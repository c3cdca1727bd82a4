"""A claimed dataset row -> its stored arrays, schema and profile; or the reason why not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import leases
from app.damage import mark
from app.database import Database
from app.datasets.catalogue import PREFIX
from app.datasets.derivation import Derivation
from app.datasets.schemas import DatasetSpec
from app.datasets.stored import UPLOAD
from app.errors import FINAL_OF_INTAKE, DamagedArtifact, FailureCode, Fenced, WorkFailure
from app.jobs import lifecycle
from app.settings import Settings
from app.storage import UPLOADS, Storage
from app.tables.datasets import DatasetRow
from app.usage import quotas
from app.usage.work_folder import work_folder
from worker.failures import as_failure
from worker.intake.catalogue import ingest_catalogued
from worker.intake.derived import ingest_derived
from worker.intake.ingested import IngestedDataset
from worker.intake.ingestion import ingest_upload
from worker.intake.raw import IntakeLimits, RawFile

log = structlog.get_logger(__name__)


def ingest(database: Database, storage: Storage, settings: Settings, dataset: DatasetRow) -> None:
    """`dataset` is a row that the caller has claimed. Raises Fenced when its lease is gone, and
    OperationalError where the database is away: the row is left to whoever takes it next.

    The row ends `ready` or `failed`. To run it again does no harm: what is stored is named by its
    content.
    """
    if dataset.token is None:
        raise Fenced(f"{dataset.id} is not claimed")
    try:
        result: dict[str, Any] = _ready(database, storage, settings, dataset)
    except OperationalError:
        raise
    except Exception as error:
        failure = as_failure(error)
        if isinstance(failure, DamagedArtifact):
            mark(database, failure)
        if failure.code is FailureCode.INTERNAL:
            log.exception("intake_failed", dataset=dataset.id)
        failure.stage = failure.stage or "intake"  # the store does not know what it was asked for
        result = {"status": "failed", "error": failure.as_json()}
        if failure.code in FINAL_OF_INTAKE:
            result["files"] = []
    with database.write() as session:
        leases.write(session, DatasetRow, dataset.id, dataset.token, **result, **leases.RELEASED)
        lifecycle.dataset_settled(session, dataset.id)
    kept = result.get("files", dataset.files)
    storage.delete_uploads(file["ref"] for file in dataset.files if file not in kept)


def _ready(
    database: Database, storage: Storage, settings: Settings, dataset: DatasetRow
) -> dict[str, Any]:
    files = _kept(dataset)
    with work_folder(settings.cache_dir, "intake") as folder:
        taken = _ingest(storage, settings, dataset, folder)
        with database.read() as session:
            _check_quota(session, storage, settings, dataset, taken)
        arrays = {name: storage.put(path) for name, path in taken.arrays.items()}
    return {
        "status": "ready",
        "error": None,
        "arrays": arrays,
        "files": files,
        "schema": taken.schema.model_dump(mode="json"),
        "profile": taken.profile,
        "content_hash": taken.content_hash,
    }


def _ingest(
    storage: Storage, settings: Settings, dataset: DatasetRow, folder: Path
) -> IngestedDataset:
    if dataset.origin_key:
        return ingest_catalogued(dataset.origin.removeprefix(PREFIX), settings, folder)
    if dataset.origin != UPLOAD:
        derivation = Derivation.model_validate(dataset.spec)
        arrays = {file["name"]: _origin_path(storage, dataset, file) for file in dataset.files}
        return ingest_derived(derivation, arrays, settings, folder)
    files = [RawFile(file["name"], _raw_path(storage, file)) for file in dataset.files]
    return ingest_upload(
        files, DatasetSpec.model_validate(dataset.spec), IntakeLimits.of(settings), folder
    )


def _check_quota(
    session: Session,
    storage: Storage,
    settings: Settings,
    dataset: DatasetRow,
    taken: IngestedDataset,
) -> None:
    """A small file may hold much. Raises WorkFailure `quota_exceeded`."""
    going = {file["ref"] for file in dataset.files} - {file["ref"] for file in _kept(dataset)}
    going = {ref for ref in going if ref.startswith(f"{UPLOADS}/")}  # others may be shared
    left = quotas.bytes_left(session, storage, settings, dataset.project, besides=going)
    size = sum(path.stat().st_size for path in taken.arrays.values())
    if left is not None and size > left:
        detail = f"expected at most the {left} bytes that are left to the project, got {size}"
        what = f"{detail} as stored: {quotas.WHAT_TO_DO}, and ask again"
        raise WorkFailure(FailureCode.QUOTA_EXCEEDED, what)


def _kept(dataset: DatasetRow) -> list[Any]:
    """The files that stay once their arrays are stored."""
    return dataset.files if dataset.spec.get("keep_upload") else []


def _raw_path(storage: Storage, file: Mapping[str, Any]) -> Path:
    try:
        return storage.local(file["ref"])
    except DamagedArtifact as damage:
        raise damage.named(f"the uploaded file `{file['name']}`", "upload it again") from damage


def _origin_path(storage: Storage, dataset: DatasetRow, file: Mapping[str, Any]) -> Path:
    try:
        return storage.local(file["ref"])
    except DamagedArtifact as damage:
        what = f"{file['name']} of {dataset.origin}, from which the dataset is derived,"
        raise damage.named(what, "heal that dataset, and derive again") from damage
