"""A claimed import -> a model with its files in the store; or the reason why not."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy.exc import OperationalError

from app import leases
from app.damage import mark
from app.database import now
from app.errors import DamagedArtifact, FailureCode, Fenced, WorkFailure
from app.integrity import sha256_of
from app.models import repository as models
from app.models.encoders import ENCODER
from app.models.importing import ONNX, ImportSpec
from app.models.schemas import Signature
from app.tables.model_imports import ModelImportRow
from worker.failures import as_failure
from worker.importing.encoder import import_encoder
from worker.importing.keras_file import read_keras
from worker.importing.network import ImportedNetwork
from worker.importing.onnx_file import read_onnx
from worker.importing.refusing import IMPORT, refused
from worker.importing.uploaded import check_quota, raw_path
from worker.machine.context import WorkerContext
from worker.machine.time_limit import ends_with_its_process
from worker.packaging.onnx_graph import package

log = structlog.get_logger(__name__)

TRIED = 16  # pictures of noise, fewer of large ones
# Imports that ended like this would end so again with the same upload, which is not kept then.
FINAL = frozenset({FailureCode.MODEL_INVALID, FailureCode.QUOTA_EXCEEDED})


def run(context: WorkerContext, row: ModelImportRow) -> None:
    """Ends the import, or leaves it to the one who has taken it. To run it again does no harm:
    what is stored is named by its content. Never raises; where it takes longer than it may it is
    failed, and the process ends."""
    limit = context.settings.import_seconds
    try:
        try:
            late = partial(_too_late, context, row)
            with ends_with_its_process(limit, late), context.scratch() as folder:
                _run(context, row, folder)
        except (Fenced, OperationalError):
            raise
        except Exception as error:
            _fail(context, row, error)
    except Fenced:
        log.info("import_lost", row=row.id)
    except OperationalError as error:  # the database is away: the lease ends, and another goes on
        log.warning("import_left", row=row.id, error=str(error.orig))


def _run(context: WorkerContext, row: ModelImportRow, folder: Path) -> None:
    if row.spec.get("kind") == ENCODER:
        import_encoder(context, row, folder)
        return
    (file,) = row.files
    path = raw_path(context, file)
    sha256 = sha256_of(path)
    spec = ImportSpec.model_validate(row.spec)
    if file["name"].lower().endswith(ONNX):
        found = read_onnx(path, spec)
    else:
        found = read_keras(path, spec, folder, context.settings.dataset_limit_bytes)
    files, difference = packaged(found, folder)
    check_quota(context, row, files)
    stored = {name: context.storage.put(each) for name, each in files.items()}
    network = found.network.architecture.model.model_dump(mode="json")
    card: dict[str, Any] = {
        "network": network,
        "imported": {**found.told, "sha256": sha256, "bytes": file["bytes"]},
        "packaging_difference": difference,
    }
    with context.database.write() as session:
        ended = {"status": "succeeded", "files": [], "ended_at": now(), **leases.RELEASED}
        leases.write(session, ModelImportRow, row.id, row.token or "", **ended)
        models.settle_import(session, row.model_id, stored, found.signature, card)
    context.storage.delete_uploads([file["ref"]])


def packaged(found: ImportedNetwork, folder: Path) -> tuple[dict[str, Path], float]:
    """Tries the network, and the graph it is served as, on pictures of noise.

    Returns:
        Its files, of a network without a head the weights alone; and how far the graph was from it.

    Raises:
        WorkFailure: `model_invalid` where an answer is not finite, or no graph can be made of it.
    """
    sample = _sample(found.signature, min(TRIED, found.network.inference_rows))
    logits = np.asarray(found.network.raw_outputs(sample))
    if not np.isfinite(logits).all():
        detail = "expected finite answers to pictures of noise, got some that are not"
        raise refused("not_finite", detail)
    weights = folder / "weights.npz"
    found.network.save_weights(weights)
    has_head = bool(found.signature.task.outputs)
    signature = found.signature
    if not has_head:  # its graph is made all the same: whether it can be is known before any job
        task = signature.task.named(("", ""))
        signature = signature.model_copy(update={"task": task})
    try:
        made = package(found.network.raw_model(), sample, folder, signature)
    except WorkFailure:
        raise
    except Exception as error:  # whatever the converter raises at what it does not know
        log.warning("import_not_packaged", error=type(error).__name__)
        detail = "expected a network of which a graph can be made to serve it, got one that is not"
        raise refused("cannot_be_served", detail) from error
    if not has_head:
        return {"weights": weights}, made.max_difference
    files = {"onnx": made.onnx, "keras": made.keras, "golden": made.golden, "weights": weights}
    return files, made.max_difference


def _sample(signature: Signature, count: int) -> dict[str, NDArray[np.float32]]:
    """Pictures of noise over the whole range of values, always the same."""
    (spec,) = signature.inputs.tensors
    low, high = signature.inputs.range or (0.0, 1.0)
    drawn = np.random.default_rng(0).uniform(low, high, (count, *spec.shape))
    whole = np.round(drawn) if spec.dtype == "uint8" else drawn
    return {spec.name: whole.astype(np.float32)}


def _too_late(context: WorkerContext, row: ModelImportRow) -> bool:
    """Fails the import; False where it is somebody else's, or has ended."""
    limit = context.settings.import_seconds
    detail = (
        f"expected a network that is read, tried and packaged within {limit:g} s, got one that "
        "takes longer: send a smaller one, or raise KTL_IMPORT_SECONDS"
    )
    try:
        _fail(context, row, refused("took_too_long", detail))
    except Fenced:
        return False
    return True


def _fail(context: WorkerContext, row: ModelImportRow, error: Exception) -> None:
    failure = as_failure(error)
    if isinstance(failure, DamagedArtifact):
        mark(context.database, failure)
    if failure.code is FailureCode.INTERNAL:
        log.exception("import_failed", row=row.id)
    failure.stage = failure.stage or IMPORT
    values: dict[str, Any] = {"status": "failed", "error": failure.as_json(), "ended_at": now()}
    if failure.code in FINAL:
        values["files"] = []
    with context.database.write() as session:
        values |= leases.RELEASED
        leases.write(session, ModelImportRow, row.id, row.token or "", **values)
    if failure.code in FINAL:
        context.storage.delete_uploads(file["ref"] for file in row.files)
