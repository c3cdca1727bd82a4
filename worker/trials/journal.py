"""A trial's link to the world while it trains: signals in, metrics and checkpoints out."""

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from app.errors import DamagedArtifact, FailureCode, Fenced, WorkFailure
from app.integrity import sha256_of
from app.jobs import work
from app.spec.figures import Conditions
from app.tables.jobs import EpochRow, TrialRow
from worker.machine.context import WorkerContext
from worker.training.checkpoint import BadCheckpoint, Checkpoint
from worker.training.setup import EpochRecord, Signal
from worker.trials.lease_keeper import LeaseKeeper

log = structlog.get_logger(__name__)


class TrialJournal:
    """Epochs shorter than `checkpoint_interval_seconds` share a checkpoint, and their metrics are
    written with it: the metrics in the database are always those that the checkpoint has behind it.
    How far the trial is, and its seconds, are written in between by the keeper of its lease."""

    def __init__(
        self, context: WorkerContext, trial: TrialRow, keeper: LeaseKeeper, folder: Path
    ) -> None:
        self._place, self._trial, self._keeper, self._folder = context, trial, keeper, folder
        self._checkpoint = trial.checkpoint
        self._pending: list[EpochRow] = []
        self._progress, self._serial = trial.progress, 0
        self._seen = trial.progress  # as _progress, within an epoch too
        self._started = self._stored = time.monotonic()
        self.conditions = Conditions.model_validate(trial.conditions) if trial.conditions else None
        keeper.standing = lambda: {"progress": self._seen, "seconds": self.seconds}

    @property
    def seconds(self) -> float:
        """Seconds of training, over all attempts."""
        return self._trial.seconds + time.monotonic() - self._started

    @property
    def pending(self) -> list[EpochRow]:
        """Epochs that end with the trial, before the next checkpoint."""
        return self._pending

    def signal(self) -> Signal | None:
        if self._keeper.signal is None and self.overdrawn():
            return Signal.BUDGET
        return self._keeper.signal

    def overdrawn(self) -> WorkFailure | None:
        """Returns what the trial fails with once the job's seconds are spent: what its other trials
        have last recorded, and this one's to this moment."""
        others = self._keeper.others
        return others.overdrawn(self.seconds) if others else None

    def computed_by(self, conditions: Conditions) -> None:
        """Says aloud what was not as it should be, once for each trial and note."""
        said = self.conditions.notes if self.conditions else []
        self.conditions = conditions
        new = [note for note in conditions.notes if note not in said]
        if new:
            log.warning("trial_noted", trial=self._trial.id, notes=new)
            with self._place.database.write() as session:
                work.note_trial(session, self._trial, new, conditions)

    def moved(self, progress: float) -> None:
        self._seen = progress

    def epoch_ended(
        self, records: list[EpochRecord], progress: float, snapshot: Callable[[], Checkpoint]
    ) -> None:
        self._pending += [_row(self._trial, record) for record in records]
        self._progress = self._seen = progress
        interval = self._place.settings.checkpoint_interval_seconds
        if time.monotonic() - self._stored < interval:
            return
        self._replace(work.record_progress, snapshot())
        self._pending, self._stored = [], time.monotonic()

    def start(self) -> Checkpoint | None:
        """Checkpoint that the trial goes on from; None: at its start. A checkpoint that is damaged
        or gone costs what it had behind it, and no more."""
        if self._checkpoint is None:
            return None
        try:
            return Checkpoint.load(self._place.storage.local(self._checkpoint))
        except DamagedArtifact as damage:
            lost: WorkFailure = damage.named("the trial's checkpoint", "it starts anew")
        except BadCheckpoint as error:
            detail = f"the trial's checkpoint cannot be read ({error}): it starts anew"
            lost = WorkFailure(FailureCode.ARTIFACT_DAMAGED, detail)
        log.warning("checkpoint_lost", trial=self._trial.id, error=lost.detail)
        with self._place.database.write() as session:
            work.start_over(session, self._trial, lost)
        self._discard(self._checkpoint)
        self._checkpoint, self._progress, self._seen = None, 0.0, 0.0
        return None

    def give_back(self, checkpoint: Checkpoint) -> None:
        """Leaves the trial to whoever takes it next, exactly here."""
        self._replace(work.release_trial, checkpoint)

    def release(self) -> None:
        """Leaves the trial to whoever takes it next, where it has stood since it was taken."""
        with self._place.database.write() as session:
            work.release_trial(session, self._trial, seconds=self.seconds)

    def close(self) -> None:
        """The trial has succeeded: nobody will ask for its checkpoint again."""
        self._discard(self._checkpoint)

    def _replace(self, write: Callable[..., None], checkpoint: Checkpoint) -> None:
        """Stores the checkpoint, writes it with what it has behind it, and drops the one before."""
        before, ref = self._checkpoint, self._store(checkpoint)
        try:
            with self._place.database.write() as session:
                write(
                    session,
                    self._trial,
                    self._pending,
                    progress=self._progress,
                    seconds=self.seconds,
                    checkpoint=ref,
                    conditions=self.conditions and self.conditions.model_dump(),
                )
        except Fenced:
            self._discard(ref)
            raise
        self._checkpoint = ref
        self._discard(before)

    def _store(self, checkpoint: Checkpoint) -> str:
        self._serial += 1
        path = self._folder / "checkpoint.npz"
        checkpoint.save(path)
        # The token is in the name: no other attempt writes to it or deletes it.
        name = f"{self._trial.token}-{self._serial}-{sha256_of(path)}"
        ref = f"checkpoints/{self._trial.id}/{name}.npz"
        return self._place.storage.write(ref, path)

    def _discard(self, ref: str | None) -> None:
        if ref is None:
            return
        try:
            self._place.storage.delete(ref)
        except WorkFailure as failure:  # a file too many harms nobody
            log.warning("checkpoint_not_deleted", ref=ref, error=failure.detail)


def _row(trial: TrialRow, record: EpochRecord) -> EpochRow:
    return EpochRow(
        trial_id=trial.id,
        phase=record.phase,
        phase_index=record.phase_index,
        epoch=record.epoch,
        split=record.split,
        values=record.values,
    )
