"""A claimed import of an encoder -> a model that jobs can name as theirs, tried and stored."""

import shutil
from pathlib import Path
from typing import Any

from app import leases
from app.database import now
from app.encoders import repository as encoders
from app.errors import FailureCode, WorkFailure
from app.inputs.stored_encoder import StoredEncoder
from app.inputs.text import USUAL, TextInputs
from app.models import repository as models
from app.models.encoder_spec import GRAPH, TOKENIZER, EncoderSpec, HubName
from app.models.encoders import ENCODER
from app.models.schemas import Signature
from app.tables.model_imports import ModelImportRow
from app.tasks.classification import Classification
from worker.backbones.encoders.folder import Folder
from worker.backbones.encoders.trial import Outcome, tried
from worker.importing import hub
from worker.importing.hub_encoder import written
from worker.importing.refusing import refused
from worker.importing.uploaded import check_quota, raw_path
from worker.machine.context import WorkerContext


def import_encoder(context: WorkerContext, row: ModelImportRow, path: Path) -> None:
    """Ends the import well. `path`: a folder of its own. Raises WorkFailure."""
    spec = EncoderSpec.model_validate(row.spec)
    folder, told = Folder(path / ENCODER), dict[str, Any]()
    folder.path.mkdir()
    try:
        if spec.origin is None:
            for file in row.files:
                shutil.copyfile(raw_path(context, file), folder.path / file["name"])
        else:
            fetched = path / "hub"
            fetched.mkdir()
            found = hub.fetch(HubName.parse(spec.origin), context.settings, fetched)
            written(found, spec, folder)
            told["hub"] = found.told()
        outcome = tried(folder)
    except WorkFailure as failure:
        if failure.code is FailureCode.ENCODER_REFUSED:
            raise refused("encoder_refused", failure.detail) from failure
        raise
    files = {ENCODER: folder.graph, "tokenizer": folder.tokenizer}
    check_quota(context, row, files)
    stored = {name: context.storage.put(file) for name, file in files.items()}
    _settle(context, row, outcome, stored, told)
    context.storage.delete_uploads([file["ref"] for file in row.files])


def _settle(
    context: WorkerContext,
    row: ModelImportRow,
    outcome: Outcome,
    stored: dict[str, str],
    told: dict[str, Any],
) -> None:
    facts = outcome.facts
    assert facts is not None
    sizes = [context.storage.local(stored[name]).stat().st_size for name in (ENCODER, "tokenizer")]
    known = StoredEncoder.of(
        row.model_id, facts, outcome.seconds_per_token, (sizes[0], sizes[1])
    ).model_dump(mode="json", exclude={"model"})
    bytes_of = dict(zip((GRAPH, TOKENIZER), sizes, strict=True))
    card = {
        ENCODER: known,
        "imported": {
            "format": ENCODER,
            "bytes": bytes_of,
            "licence": facts.licence,
            "pooling": facts.pooling,
            "revision": facts.revision,
            **told,
        },
    }
    signature = Signature(
        inputs=TextInputs(length=USUAL), task=Classification(classes=()), encoder=facts.identity
    )
    own = {"onnx": stored[ENCODER], "tokenizer": stored["tokenizer"]}
    with context.database.write() as session:
        ended = {"status": "succeeded", "files": [], "ended_at": now(), **leases.RELEASED}
        leases.write(session, ModelImportRow, row.id, row.token or "", **ended)
        models.settle_import(session, row.model_id, stored, signature, card)
        encoders.add_stored(session, facts, own)
