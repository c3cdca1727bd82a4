"""The features that a trial needs, computed under its lease: who follows the job is told of it."""

import time
from collections.abc import Iterator
from dataclasses import replace

from app.inputs.features import FeaturesInputs
from app.jobs.features import tell_features
from app.spec.frozen_photos import weights_seen
from app.spec.plan import PRETRAIN
from worker.datasets import encoder_store
from worker.datasets.encoded import Encoded, StoredTexts, encode
from worker.datasets.stored_data import dataset_split
from worker.machine.context import WorkerContext
from worker.training.setup import Interrupted, Signal
from worker.trials.journal import TrialJournal
from worker.trials.trial_data import TrialData

TELL_SECONDS = 3.0


def with_features(context: WorkerContext, data: TrialData, journal: TrialJournal) -> TrialData:
    """The trial's data with features where its network sees such of texts or pictures.

    Raises Interrupted where a signal ends the work: what is computed stays. Raises WorkFailure.
    """
    inputs = data.spec.inputs
    if weights := weights_seen(inputs):
        _compute_photos(context, data, _Watch(context, data, weights, journal))
    if not isinstance(inputs, FeaturesInputs) or data.encoded is None:
        return data
    missing = [texts for texts in _texts(context, data) if texts.array not in data.encoded.chunks]
    encode(context, inputs, missing, _Watch(context, data, inputs.encoder, journal))
    encoder_store.forget()
    with context.database.read() as session:
        encoded = Encoded.of(session, inputs, (data.target, *data.sources))
    return replace(data, encoded=encoded)


def _compute_photos(context: WorkerContext, data: TrialData, watch: "_Watch") -> None:
    """Reads what the trial will read: features that it sees of pictures are kept."""
    wanted = [
        (dataset, data.spec.adoption(place), split)
        for dataset, place in zip(data.sources, data.places, strict=True)
        for split in ("train", *(("test",) if _forgets(data) else ()))
    ]
    if data.trial.role != PRETRAIN:
        wanted += [(data.target, data.spec.adoption(), split) for split in ("train", "test")]
    for done, (dataset, adoption, split) in enumerate(wanted, 1):
        dataset_split(context.storage, dataset, split, adoption, watch.look)
        if watch.has_looked:  # there was something to compute
            watch.computed(done, len(wanted))


def _forgets(data: TrialData) -> bool:
    """Tells whether it is asked what the trial forgets of its sources' test items."""
    return data.spec.evaluation.forgetting and data.trial.role == "transfer"


def _texts(context: WorkerContext, data: TrialData) -> Iterator[StoredTexts]:
    """Texts of the sources' training items, and their test items too where it is asked what of them
    is forgotten; of the target all."""
    for dataset in data.sources:
        for split in ("train", *(("test",) if _forgets(data) else ())):
            yield StoredTexts.of(context.storage, dataset, split)
    if data.trial.role != PRETRAIN:
        for split in ("train", "test"):
            yield StoredTexts.of(context.storage, data.target, split)


class _Watch:
    def __init__(
        self, context: WorkerContext, data: TrialData, encoder: str, journal: TrialJournal
    ) -> None:
        self._context, self._trial, self._journal = context, data.trial, journal
        self._encoder, self._told = encoder, float("-inf")
        self.has_looked = False

    def look(self) -> None:
        self.has_looked = True
        match self._journal.signal():
            case None:
                return
            case Signal.PAUSE:
                self._journal.release()
        raise Interrupted(None)

    def computed(self, done: int, of: int) -> None:
        """Tells the job's story every few seconds, and at the end."""
        now = time.monotonic()
        if done < of and now - self._told < TELL_SECONDS:
            return
        self._told = now
        told = {"encoder": self._encoder, "done": done, "of": of}
        with self._context.database.write() as session:
            tell_features(session, self._trial, told)
