"""Features of stored texts by a frozen encoder: computed once, chunk by chunk, and shared by all
workers and jobs.

A chunk is some rows of one stored array. Whoever needs features claims the first chunk that nobody
computes, stores it and takes the next, until none is left; so workers share the work, and one that
is stopped has lost no more than the chunk it was at. Which chunks there are and where they stand
the database says (app/tables/encoders.py); with the array's dataset they go.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.datasets.schemas import Schema
from app.datasets.stored import array_path
from app.encoders import repository
from app.errors import DamagedArtifact
from app.inputs import Inputs
from app.inputs.features import FEATURES, FeaturesInputs
from app.inputs.text import joint_text, texts_of
from app.spec.spec import ResolvedSpec
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.encoders import EncoderRow
from worker.backbones.encoders.running import Encoder
from worker.datasets import encoder_store
from worker.datasets.room import room
from worker.machine.context import WorkerContext
from worker.training.items import Items

CHUNK = 256  # texts: some seconds of one core
CLAIM_SECONDS = 60.0  # renewed while a chunk is computed
RENEW_SECONDS = 10.0
WAIT_SECONDS = 0.5  # between two looks for chunks that others compute

Floats = NDArray[np.float32]


class Watch(Protocol):
    """Who is told how far the features are, and stops their computation."""

    def look(self) -> None:
        """Called between batches, half a second or so apart; what it raises ends the work."""

    def computed(self, done: int, of: int) -> None:
        """Called after each chunk."""


class Unwatched:
    """Nobody: the work goes on to its end."""

    def look(self) -> None: ...

    def computed(self, done: int, of: int) -> None: ...


@dataclass(frozen=True, eq=False)
class StoredTexts:
    """A stored array of texts. `array`: its file; `codes`: (n, length) int32, memory-mapped."""

    array: str
    codes: NDArray[Any]

    @classmethod
    def of(cls, storage: Storage, dataset: DatasetRow, split: str) -> Self:
        """Raises DamagedArtifact."""
        (name,) = Schema.model_validate(dataset.schema).inputs.arrays(split).values()
        codes = np.load(array_path(storage, dataset, name), mmap_mode="r")
        return cls(dataset.arrays[name], codes)

    @property
    def chunks(self) -> int:
        return max(1, -(-len(self.codes) // CHUNK))

    def chunk(self, number: int) -> list[str]:
        return texts_of(self.codes[number * CHUNK : (number + 1) * CHUNK])


@dataclass(frozen=True)
class Encoded:
    """Places of stored features: files of chunks by the arrays that they are of."""

    inputs: FeaturesInputs
    chunks: Mapping[str, Sequence[str]]

    @classmethod
    def of(
        cls, session: Session, inputs: Inputs | None, datasets: Sequence[DatasetRow]
    ) -> Self | None:
        """Finds all that is computed of the datasets' texts; None where a job's network, which sees
        `inputs`, sees no features."""
        if not isinstance(inputs, FeaturesInputs):
            return None
        row = repository.find_of(session, inputs)
        arrays = [array for dataset in datasets for array in arrays_of(dataset).values()]
        found = {
            array: [ref for ref in refs if ref]
            for array in (arrays if row else ())
            for refs in (repository.refs(session, row.id if row else "", array),)
            if refs and None not in refs
        }
        return cls(inputs, found)

    def items(self, storage: Storage, array: str, count: int) -> Items:
        """Features of the array's `count` rows. Raises DamagedArtifact; KeyError where they are not
        computed."""
        features = room((count, *self.inputs.shape))
        at = 0
        for ref in self.chunks[array]:
            chunk = np.load(storage.local(ref))
            features[at : at + len(chunk)] = chunk
            at += len(chunk)
        if at != count:
            raise ValueError(f"{array}: expected features of {count} texts, got {at}")
        key = f"{array} {self.inputs.encoder} {self.inputs.revision}"
        return Items.of({FEATURES: features}, key)


def without_encoder(
    spec: ResolvedSpec, target: DatasetRow, sources: Sequence[DatasetRow]
) -> ResolvedSpec:
    """The spec as a reference reads it: texts themselves, where the job's network sees features."""
    if not isinstance(spec.inputs, FeaturesInputs):
        return spec
    own, *others = (Schema.model_validate(row.schema).inputs for row in (target, *sources))
    return spec.model_copy(update={"inputs": joint_text(own, others)})


def arrays_of(dataset: DatasetRow) -> dict[str, str]:
    """Files of a stored dataset's texts, by their splits."""
    inputs = Schema.model_validate(dataset.schema).inputs
    return {
        split: dataset.arrays[name]
        for split in ("train", "test")
        for name in inputs.arrays(split).values()
        if name in dataset.arrays
    }


def encode(
    context: WorkerContext, inputs: FeaturesInputs, wanted: Sequence[StoredTexts], watch: Watch
) -> None:
    """Sees to it that the features of all `wanted` arrays are in the store. Raises WorkFailure, and
    what `watch` raises."""
    if not wanted:
        return
    row = encoder_store.obtain_of(context, inputs)
    of = sum(texts.chunks for texts in wanted)
    before = 0
    for texts in wanted:
        _encode(context, row, texts, watch, (before, of))
        before += texts.chunks


def _encode(
    context: WorkerContext,
    row: EncoderRow,
    texts: StoredTexts,
    watch: Watch,
    standing: tuple[int, int],
) -> None:
    """`standing`: how many chunks of others are done before, and of how many in all."""
    before, of = standing
    said = -1
    while True:
        watch.look()
        with context.database.write() as session:
            repository.plan(session, row.id, texts.array, texts.chunks)
            refs = repository.refs(session, row.id, texts.array)
            number = None
            if None in refs:
                number = repository.claim(session, row.id, texts.array, CLAIM_SECONDS)
        done = sum(ref is not None for ref in refs)
        if done != said:
            watch.computed(before + done, of)
            said = done
        if done == len(refs):
            if _all_whole(context, [ref for ref in refs if ref]):
                return
            continue
        if number is None:
            time.sleep(WAIT_SECONDS)
            continue
        _compute(context, row, texts, number, watch)


def _compute(
    context: WorkerContext, row: EncoderRow, texts: StoredTexts, number: int, watch: Watch
) -> None:
    encoder = encoder_store.loaded(context.storage, row)
    renewed = time.monotonic()

    def look() -> None:
        nonlocal renewed
        watch.look()
        if time.monotonic() - renewed > RENEW_SECONDS:
            with context.database.write() as session:
                repository.renew(session, row.id, texts.array, number, CLAIM_SECONDS)
            renewed = time.monotonic()

    try:
        ref = _stored(context, encoder, texts.chunk(number), look)
    except BaseException:
        with context.database.write() as session:
            repository.let_go(session, row.id, texts.array, number)
        raise
    with context.database.write() as session:
        repository.store(session, row.id, texts.array, number, ref)


def _stored(
    context: WorkerContext, encoder: Encoder, texts: Sequence[str], look: Callable[[], None]
) -> str:
    features = encoder.features(texts, look)
    with context.scratch() as folder:
        path = Path(folder) / "features.npy"
        np.save(path, features)
        return context.storage.put(path)


def _all_whole(context: WorkerContext, refs: Sequence[str]) -> bool:
    """Tells whether all files are what they were; those that are not are computed anew."""
    damaged = []
    for ref in refs:
        try:
            context.storage.local(ref)
        except DamagedArtifact:
            damaged.append(ref)
    if damaged:
        with context.database.write() as session:
            for ref in damaged:
                repository.lose(session, ref)
    return not damaged
