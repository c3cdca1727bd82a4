"""The features that a trial needs, computed under its lease: who follows the job is told of it."""

import time
from collections.abc import Iterator
from dataclasses import replace

from app.inputs.features import FeaturesInputs
from app.jobs.features import tell_features
from app.spec.plan import PRETRAIN
from worker.datasets import encoder_store
from worker.datasets.encoded import Encoded, StoredTexts, encode
from worker.machine.context import WorkerContext
from worker.training.setup import Interrupted, Signal
from worker.trials.journal import TrialJournal
from worker.trials.trial_data import TrialData

TELL_SECONDS = 3.0


def with_features(context: WorkerContext, data: TrialData, journal: TrialJournal) -> TrialData:
    """The trial's data with features in place of its texts, where its network sees such.

    Raises Interrupted where a signal ends the work: what is computed stays. Raises WorkFailure.
    """
    inputs = data.spec.inputs
    if not isinstance(inputs, FeaturesInputs) or data.encoded is None:
        return data
    missing = [texts for texts in _texts(context, data) if texts.array not in data.encoded.chunks]
    encode(context, inputs, missing, _Watch(context, data, inputs.encoder, journal))
    encoder_store.forget()
    with context.database.read() as session:
        encoded = Encoded.of(session, inputs, (data.target, *data.sources))
    return replace(data, encoded=encoded)


def _texts(context: WorkerContext, data: TrialData) -> Iterator[StoredTexts]:
    """Texts of the sources' training items, and their test items too where it is asked what of them
    is forgotten; of the target all."""
    forgets = data.spec.evaluation.forgetting and data.trial.role == "transfer"
    for dataset in data.sources:
        for split in ("train", *(("test",) if forgets else ())):
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

    def look(self) -> None:
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
