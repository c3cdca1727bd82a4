"""A claimed dataset row -> its stored arrays, schema and profile; or the reason why not."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from app import leases
from app.database import Database
from app.datasets.catalogue import PREFIX
from app.datasets.schemas import DatasetSpec
from app.datasets.tables import DatasetRow
from app.errors import DamagedArtifact, FailureCode, Fenced
from app.jobs import lifecycle
from app.settings import Settings
from app.storage import Storage
from worker.failures import as_failure
from worker.intake.catalogue import take_in_catalogued
from worker.intake.raw import Limits, RawFile
from worker.intake.take_in import TakenIn, take_in

log = structlog.get_logger(__name__)


def ingest(database: Database, storage: Storage, settings: Settings, dataset: DatasetRow) -> None:
    """`dataset` is a row that the caller has claimed. Raises Fenced when its lease is gone.

    The row ends `ready` or `failed`. To run it again does no harm: what is stored is named by its
    content.
    """
    if dataset.token is None:
        raise Fenced(f"{dataset.id} is not claimed")
    try:
        result = _ready(storage, settings, dataset)
    except Exception as error:
        failure = as_failure(error)
        if failure.code is FailureCode.INTERNAL:
            log.exception("intake_failed", dataset=dataset.id)
        failure.stage = failure.stage or "intake"  # the store does not know what it was asked for
        result = {"status": "failed", "error": failure.as_json()}
    with database.write() as session:
        leases.write(session, DatasetRow, dataset.id, dataset.token, **result, **leases.RELEASED)
        lifecycle.dataset_settled(session, dataset.id)


def _ready(storage: Storage, settings: Settings, dataset: DatasetRow) -> dict[str, Any]:
    parent = settings.cache_dir / "intake"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        taken = _take_in(storage, settings, dataset, Path(folder))
        arrays = {name: storage.put(path) for name, path in taken.arrays.items()}
    return {
        "status": "ready",
        "error": None,
        "arrays": arrays,
        "schema": taken.schema.model_dump(mode="json"),
        "profile": taken.profile,
        "content_hash": taken.content_hash,
    }


def _take_in(storage: Storage, settings: Settings, dataset: DatasetRow, folder: Path) -> TakenIn:
    if dataset.origin.startswith(PREFIX):
        return take_in_catalogued(dataset.origin.removeprefix(PREFIX), settings, folder)
    files = [RawFile(file["name"], _raw_path(storage, file)) for file in dataset.files]
    return take_in(files, DatasetSpec.model_validate(dataset.spec), Limits.of(settings), folder)


def _raw_path(storage: Storage, file: Mapping[str, Any]) -> Path:
    try:
        return storage.local(file["ref"])
    except DamagedArtifact as damage:
        raise damage.named(f"the uploaded file `{file['name']}`", "upload it again") from damage
