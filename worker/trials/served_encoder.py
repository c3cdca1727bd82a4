"""The frozen encoder that a winner is packaged with: whole, or with the pieces its texts need."""

from collections.abc import Iterator
from pathlib import Path

from app.spec.spec import ResolvedSpec
from app.tables.datasets import DatasetRow
from app.tables.encoders import EncoderRow
from app.tables.jobs import JobRow
from worker.datasets import encoder_store
from worker.datasets.encoded import StoredTexts
from worker.machine.context import WorkerContext
from worker.packaging.seen_vocabulary import Pruned, with_seen_pieces


def served_encoder(
    context: WorkerContext, job: JobRow, spec: ResolvedSpec, row: EncoderRow, folder: Path
) -> Pruned:
    """Returns it as the job's `deploy.vocabulary` says. Raises DamagedArtifact."""
    whole = encoder_store.frozen(context.storage, row)
    tokenizer = context.storage.local(row.files["tokenizer"])
    if spec.deploy is None or spec.deploy.vocabulary == "whole":
        return Pruned(whole, tokenizer, {})
    ids = [id_ for given, id_ in zip(spec.sources, job.source_ids, strict=True) if given.dataset]
    with context.database.read() as session:
        sources = [session.get_one(DatasetRow, each) for each in ids]
        target = session.get_one(DatasetRow, job.target_id)
    seen = _texts(context, [*sources, target], "train")
    asked = [*_texts(context, [target], "test")]
    return with_seen_pieces(whole, tokenizer, seen, asked, folder)


def _texts(context: WorkerContext, datasets: list[DatasetRow], split: str) -> Iterator[str]:
    for dataset in datasets:
        stored = StoredTexts.of(context.storage, dataset, split)
        for number in range(stored.chunks):
            yield from stored.chunk(number)
