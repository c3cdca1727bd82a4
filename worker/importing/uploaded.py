"""An import's raw files, and whether what is made of them fits into the project."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import DamagedArtifact, FailureCode, WorkFailure
from app.tables.model_imports import ModelImportRow
from app.usage import quotas
from worker.machine.context import WorkerContext


def raw_path(context: WorkerContext, file: dict[str, Any]) -> Path:
    """Raises DamagedArtifact."""
    try:
        return context.storage.local(file["ref"])
    except DamagedArtifact as damage:
        raise damage.named("the uploaded file", "upload it again") from damage


def check_quota(context: WorkerContext, row: ModelImportRow, files: Mapping[str, Path]) -> None:
    """Raises WorkFailure `quota_exceeded`."""
    with context.database.read() as session:
        besides = {file["ref"] for file in row.files}
        left = quotas.bytes_left(
            session, context.storage, context.settings, row.project, besides=besides
        )
    size = sum(path.stat().st_size for path in files.values())
    if left is not None and size > left:
        detail = f"expected at most the {left} bytes that are left to the project, got {size}"
        what = f"{detail} as stored: {quotas.WHAT_TO_DO}, and import it again"
        raise WorkFailure(FailureCode.QUOTA_EXCEEDED, what)
