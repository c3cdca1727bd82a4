"""Encoders in the store: made once by whichever worker needs one first, used by all."""

from functools import lru_cache

from filelock import FileLock

from app.encoders import repository
from app.errors import DamagedArtifact, FailureCode, WorkFailure
from app.inputs import Inputs
from app.inputs.encoders import ALL_ENCODERS, EncoderEntry, EncoderFacts
from app.inputs.features import FeaturesInputs
from app.inputs.stored_encoder import stored_id_of
from app.storage import Storage
from app.tables.encoders import EncoderRow
from worker.backbones.encoders.folder import Folder
from worker.backbones.encoders.running import Encoder
from worker.backbones.encoders.wheels import build
from worker.machine.context import WorkerContext
from worker.packaging.frozen_encoder import FrozenEncoder

PATIENCE_SECONDS = 600.0  # for another process of this machine that makes the same


def obtain(context: WorkerContext, entry: EncoderEntry) -> EncoderRow:
    """The encoder's row, whose files are whole; made of its wheel where there is none, or where a
    file is damaged. Raises WorkFailure `extra_missing` or `encoder_refused`."""
    if found := _whole(context, entry):
        return found
    lock = context.settings.cache_dir / f"encoder-{entry.name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock, timeout=PATIENCE_SECONDS):
        if not (found := _whole(context, entry)):
            _make(context, entry)
            found = _whole(context, entry)
    if found is None:
        raise ValueError(f"expected the encoder {entry.name} after it was made, got none")
    return found


def loaded(storage: Storage, row: EncoderRow) -> Encoder:
    """The encoder in memory, kept until another is asked for, or `forget`."""
    return _loaded(storage, row.id, row.files["onnx"], row.files["tokenizer"], _facts(row))


def of_job(context: WorkerContext, inputs: Inputs | None) -> EncoderRow | None:
    """The encoder of a job whose network sees `inputs`; None where it has none."""
    if not isinstance(inputs, FeaturesInputs):
        return None
    return obtain_of(context, inputs)


def obtain_of(context: WorkerContext, inputs: FeaturesInputs) -> EncoderRow:
    """The encoder that gives a network's features. Raises what `obtain` raises; of one that was
    uploaded WorkFailure `weights_unavailable` where it is gone, and DamagedArtifact."""
    if stored_id_of(inputs.revision) is None:
        return obtain(context, ALL_ENCODERS[inputs.encoder])
    with context.database.read() as session:
        row = repository.find_of(session, inputs)
    if row is None:
        detail = f"expected the files of the encoder {inputs.encoder}, which are gone: add it again"
        raise WorkFailure(FailureCode.WEIGHTS_UNAVAILABLE, detail, stage="encoder")
    for ref in row.files.values():
        try:
            context.storage.local(ref)
        except DamagedArtifact as damage:
            raise damage.named(f"the encoder {inputs.encoder}", "add it again") from damage
    return row


def frozen(storage: Storage, row: EncoderRow) -> FrozenEncoder:
    """The encoder as packaging needs it."""
    return FrozenEncoder(storage.local(row.files["onnx"]), loaded(storage, row))


def forget() -> None:
    """Frees what is kept: some hundreds of megabytes."""
    _loaded.cache_clear()


@lru_cache(maxsize=1)
def _loaded(
    storage: Storage, encoder_id: str, graph: str, tokenizer: str, facts: EncoderFacts
) -> Encoder:
    files = [storage.local(ref).read_bytes() for ref in (graph, tokenizer)]
    return Encoder.load(files[0], files[1], facts)


def _facts(row: EncoderRow) -> EncoderFacts:
    return EncoderFacts.model_validate(row.facts)


def _whole(context: WorkerContext, entry: EncoderEntry) -> EncoderRow | None:
    with context.database.read() as session:
        row = repository.find(session, entry)
    if row is None:
        return None
    try:
        for ref in row.files.values():
            context.storage.local(ref)
    except DamagedArtifact:
        return None
    return row


def _make(context: WorkerContext, entry: EncoderEntry) -> None:
    with context.scratch() as path:
        folder = Folder(path)
        facts = build(entry, path)
        files = {
            "onnx": context.storage.put(folder.graph),
            "tokenizer": context.storage.put(folder.tokenizer),
        }
        with context.database.write() as session:
            repository.add(session, facts, files)
