"""Runs a trial: phase after phase, epoch after epoch, chunk after chunk of compiled steps."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import structlog
import tensorflow as tf
from numpy.typing import NDArray

from app.errors import FailureCode, WorkFailure
from worker.backbones.network import Network
from worker.evaluation.metrics import classification_metrics, metrics_from_counts
from worker.strategies.recipe import Phase, Relabel, Stream
from worker.training import predict
from worker.training.checkpoint import Backend, Checkpoint, Position
from worker.training.data import Domain, Rows, Split
from worker.training.device import configure_tensorflow
from worker.training.features import features_of
from worker.training.feed import Feed
from worker.training.geometry import Geometry, geometry_of
from worker.training.loop import Loop, Pace, Results
from worker.training.program import choose_backend, program_of
from worker.training.schedule import progress, rate_factors
from worker.training.setup import (
    HEAD_STEP_COST,
    EpochRecord,
    Interrupted,
    Journal,
    Signal,
    TrialSetup,
)
from worker.training.sums import Sums

CHUNK_SECONDS = 0.5  # between two looks at the journal
INFERENCE_ROWS = 4096  # likewise

Inference = Callable[[Network, Rows], NDArray[np.float32]]

log = structlog.get_logger(__name__)


def train(setup: TrialSetup, journal: Journal, checkpoint: Checkpoint | None = None) -> Network:
    """Trains, or goes on from `checkpoint` with the same bits as if nothing had happened.

    The network is the process's one of its architecture (program.shared_network): it holds the
    trained weights until the next trial of that architecture takes it.

    Raises Interrupted when the journal signals, WorkFailure `diverged` when the loss is no longer
    finite and `out_of_memory`.
    """
    trial = _Trial(setup, journal, checkpoint)
    try:
        return trial.run()
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise WorkFailure(
            FailureCode.OUT_OF_MEMORY,
            f"out of memory in phase {trial.phase.name}: try a smaller batch_size or network",
            stage=trial.phase.name,
        ) from error


class _Trial:
    """The state of a trial under way."""

    def __init__(self, setup: TrialSetup, journal: Journal, checkpoint: Checkpoint | None) -> None:
        self._threads = configure_tensorflow()
        self._setup, self._journal = setup, journal
        self._program = program_of(setup)
        self._network = self._program.network
        self._classes = self._network.architecture.classes
        self._batch = min(setup.spec.training.batch_size, len(setup.domain.train))
        self._steps = -(-len(setup.domain.train) // self._batch)  # an epoch
        self._position, self._sums = Position(), Sums.zero(self._classes)
        self._loop: Loop | None = None
        self._slots: list[NDArray[Any]] = []  # of a checkpoint's optimizer, until there is a loop
        self._best: list[NDArray[Any]] = []  # variables of the best epoch, with early stopping
        self._labels: NDArray[np.int32] | None = None  # of this epoch, where the phase makes them
        trials = 1 if setup.role == "pretrain" else setup.spec.evaluation.seeds
        self._backends: tuple[Backend, ...] = tuple(
            choose_backend(phase, self._network, self._steps, trials)
            for phase in self._program.phases
        )
        self._program.initialise(setup.seed)
        if checkpoint:
            self._restore(checkpoint)
        elif setup.source_weights:
            self._program.start_from(setup.source_weights)

    @property
    def phase(self) -> Phase:
        return self._program.phases[self._position.phase]

    def run(self) -> Network:
        for index in range(self._position.phase, len(self._program.phases)):
            if index > self._position.phase:
                self._position, self._loop, self._best = Position(phase=index), None, []
                self._labels = None
            self._run_phase()
        return self._network

    def _run_phase(self) -> None:
        phase, position = self.phase, self._position
        streams, validation = self._inputs(phase)
        seeds = [self._setup.seed, position.phase]
        feed = Feed(streams, self._batch, self._steps, seeds)
        backend = self._backends[position.phase]
        geometry = geometry_of(phase, feed, validation, self._steps, self._classes, backend)
        loop = self._loop = self._program.loop(position.phase, geometry.shapes)
        if phase.prepare and position.epochs == position.step == 0:
            rows = self._domain(phase.streams[0]).train
            phase.prepare(lambda: (features_of(self._network, rows.x, self._look), rows.y))
        if self._slots:
            _assign(loop.variables, self._slots)
            self._slots = []
        inside = tf.constant(np.asarray(validation.x[: geometry.looked_at]))
        while not self._has_ended():
            self._look()
            if phase.relabel:
                feed.relabel(self._labels_of_epoch(phase.relabel, streams[phase.streams[0]]))
            began = time.perf_counter()
            count = self._affordable_steps(loop, geometry)
            first, room = position.epochs * self._steps + position.step, geometry.room(count)
            data, order, labels = feed.chunk(first, count, room)
            pace = self._pace(first, room)
            results = loop.run(data, order, pace, count, inside)
            seconds = time.perf_counter() - began
            self._take(results, labels.reshape(count, -1), pace, validation, seconds)
        self._settle_weights(loop)

    def _has_ended(self) -> bool:
        phase, position = self.phase, self._position
        patience = phase.optimization.early_stopping
        return (
            position.epochs >= phase.epochs
            or (phase.stop is not None and phase.stop.reached(position.losses))
            or (
                patience is not None
                and position.best_loss is not None
                and position.epochs - position.best_epoch >= patience.patience
            )
        )

    def _affordable_steps(self, loop: Loop, geometry: Geometry) -> int:
        """Whole epochs where there is time for them, else a part of one; never past a place where
        the phase may end."""
        phase, position = self.phase, self._position
        affordable = min(geometry.capacity, loop.affordable(CHUNK_SECONDS))
        rest = self._steps - position.step
        if affordable < rest:
            chunks = -(-rest // affordable)
            return -(-rest // chunks)  # alike: a call costs the same however short it is
        epochs = min(geometry.epochs, phase.epochs - position.epochs)
        if phase.stop:
            epochs = min(epochs, phase.stop.epochs_to_look(position.epochs))
        return rest + min(epochs - 1, (affordable - rest) // self._steps) * self._steps

    def _pace(self, first: int, capacity: int) -> Pace:
        steps = first + np.arange(capacity)
        total = self.phase.epochs * self._steps
        factors = rate_factors(self.phase.optimization, steps, total, self._steps)
        own = np.array([group.learning_rate for group in self.phase.groups], float)
        rates = factors[:, None] * own
        ends = (steps + 1) % self._steps == 0
        return Pace(rates, progress(steps, total).astype(np.float32), ends)

    def _take(
        self,
        results: Results,
        labels: NDArray[np.int32],
        pace: Pace,
        validation: Split,
        seconds: float,
    ) -> None:
        """What a chunk has brought, epoch by epoch."""
        position, records = self._position, list[EpochRecord]()
        per_step, start = seconds / len(labels), 0
        ends = [int(end) + 1 for end in np.flatnonzero(pace.ends[: len(labels)])]
        for number, end in enumerate(ends):
            part = slice(start, end)
            self._add(results, part, labels)
            position.seconds += per_step * (end - start)
            inside = results.validation[number] if results.validation.size else None
            rate = float(pace.rates[end - 1].max(initial=0.0))
            records += self._end_epoch(validation, inside, rate)
            start = end
        self._add(results, slice(start, None), labels)
        position.step += len(labels) - start
        position.seconds += per_step * (len(labels) - start)
        self._check_finite(self._sums.loss)
        if ends:
            self._journal.epoch_ended(records, self._progress(), self._snapshot)

    def _add(self, results: Results, part: slice, labels: NDArray[np.int32]) -> None:
        """Pseudo-labels measure nothing."""
        known = np.full_like(labels, -1) if self.phase.relabel else labels
        self._sums.add(results.losses[part], known[part], results.predicted[part])

    def _labels_of_epoch(self, relabel: Relabel, rows: Split) -> NDArray[np.int32]:
        """Those of the epoch under way, made when it begins."""
        if self._labels is None or self._position.step == 0:
            self._labels = relabel(features_of(self._network, rows.x, self._look))
        return self._labels

    def _end_epoch(
        self, validation: Split, logits: NDArray[np.float32] | None, rate: float
    ) -> list[EpochRecord]:
        position, sums = self._position, self._sums
        self._check_finite(sums.loss)
        metrics = {"loss": float(sums.loss) / self._steps}
        if items := int(sums.confusion.sum()):
            metrics = metrics_from_counts(sums.confusion, metrics["loss"] * items, items)
        position.losses.append(metrics["loss"])
        records = [self._record("train", metrics, rate, position.seconds)]
        if len(validation) and validation.is_labelled:
            began = time.perf_counter()
            if logits is None:
                logits = self._validate(validation)
            metrics = classification_metrics(validation.y, logits)
            self._check_finite(metrics["loss"])  # the last step's harm shows here first
            seconds = time.perf_counter() - began
            records.append(self._record("validation", metrics, rate, seconds))
            self._keep_the_best(metrics["loss"])
        position.epochs, position.step, position.seconds = position.epochs + 1, 0, 0.0
        self._sums = Sums.zero(self._classes)
        return records

    def _validate(self, validation: Split) -> NDArray[np.float32]:
        phase = self.phase
        infer = predict.head_logits if phase.inputs == "features" else predict.logits
        with self._averaged():
            return self._infer(infer, validation.x)

    def _keep_the_best(self, loss: float) -> None:
        phase, position = self.phase, self._position
        patience = phase.optimization.early_stopping
        if patience is None:
            return
        if position.best_loss is None or loss < position.best_loss - patience.min_delta:
            position.best_loss, position.best_epoch = loss, position.epochs + 1
            with self._averaged():
                self._best = [variable.numpy() for variable in self._program.variables]

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The moving averages stand in the weights' place, where the phase keeps them."""
        if self._loop is None or self.phase.optimization.ema_momentum is None:
            yield
            return
        raw = [variable.numpy() for variable in self._program.variables]
        self._loop.take_averages()
        try:
            yield
        finally:
            _assign(self._program.variables, raw)

    def _settle_weights(self, loop: Loop) -> None:
        """The best epoch's where the phase stops early, else the averages where it keeps them."""
        if self._best:
            _assign(self._program.variables, self._best)
        else:
            loop.take_averages()

    def _check_finite(self, loss: float) -> None:
        if not np.isfinite(loss):
            epoch, phase = self._position.epochs + 1, self.phase.name
            raise WorkFailure(
                FailureCode.DIVERGED,
                f"expected a finite loss, got {loss} at epoch {epoch} of phase {phase}",
                stage=phase,
            )

    def _record(
        self,
        split: Literal["train", "validation"],
        metrics: dict[str, float],
        rate: float,
        seconds: float,
    ) -> EpochRecord:
        names = ("loss", "accuracy", "f1_macro")
        values = {name: metrics[name] for name in names if name in metrics}
        values["learning_rate"] = rate
        values["seconds"] = seconds
        position = self._position
        return EpochRecord(self.phase.name, position.phase, position.epochs + 1, split, values)

    def _progress(self) -> float:
        """Cost of the steps done over that of all; a phase that has ended early is done."""
        done, total, position = 0.0, 0.0, self._position
        for index, phase in enumerate(self._program.phases):
            cost = phase.epochs * (HEAD_STEP_COST if phase.inputs == "features" else 1.0)
            total += cost
            if index < position.phase or (index == position.phase and self._has_ended()):
                done += cost
            elif index == position.phase:
                done += cost * position.epochs / phase.epochs
        return done / total

    def _inputs(self, phase: Phase) -> tuple[dict[Stream, Split], Split]:
        """The training split of each stream, and the validation split, as the phase takes them."""
        streams = {stream: self._domain(stream).train for stream in phase.streams}
        validation = self._setup.domain.validation
        if phase.inputs == "features":
            streams = {stream: self._features(split) for stream, split in streams.items()}
            validation = self._features(validation)
        return streams, validation

    def _domain(self, stream: Stream) -> Domain:
        domain = self._setup.domain if stream == "domain" else self._setup.source
        if domain is None:
            raise ValueError(f"phase {self.phase.name}: expected the source's data, got none")
        return domain

    def _features(self, split: Split) -> Split:
        return Split(features_of(self._network, split.x, self._look), split.y)

    def _infer(self, infer: Inference, x: Rows) -> NDArray[np.float32]:
        """Looks at the journal between blocks. A pause waits until the epoch has ended: the weights
        are those after its last step, and what is known of it is not yet put away."""
        blocks = []
        for start in range(0, max(1, len(x)), INFERENCE_ROWS):
            if start:
                self._look(may_pause=False)
            blocks.append(infer(self._network, x[start : start + INFERENCE_ROWS]))
        return np.concatenate(blocks)

    def _look(self, may_pause: bool = True) -> None:
        signal = self._journal.signal()
        if signal is not None and (may_pause or signal is not Signal.PAUSE):
            raise Interrupted(self._snapshot() if signal is Signal.PAUSE else None)

    def _snapshot(self) -> Checkpoint:
        slots = [slot.numpy() for slot in self._loop.variables] if self._loop else self._slots
        arrays = {
            **_number("network", [variable.numpy() for variable in self._program.variables]),
            **_number("optimizer", slots),
            **_number("best", self._best),
            **_number("labels", [] if self._labels is None else [self._labels]),
            "sums/loss": np.asarray(self._sums.loss),
            "sums/confusion": self._sums.confusion,
        }
        position = replace(self._position, losses=[*self._position.losses])
        return Checkpoint(arrays, position, self._setup.seed, self._backends, self._threads)

    def _restore(self, checkpoint: Checkpoint) -> None:
        if checkpoint.seed != self._setup.seed:
            raise ValueError(
                f"expected a checkpoint of seed {self._setup.seed}, got one of {checkpoint.seed}"
            )
        if checkpoint.threads != self._threads:  # another machine: the same training, other bits
            log.warning("threads_changed", before=checkpoint.threads, now=self._threads)
        arrays = checkpoint.arrays
        _assign(self._program.variables, _numbered(arrays, "network"))
        self._slots, self._best = _numbered(arrays, "optimizer"), _numbered(arrays, "best")
        self._labels = next(iter(_numbered(arrays, "labels")), None)
        self._sums = Sums(float(arrays["sums/loss"]), arrays["sums/confusion"])
        self._position = replace(checkpoint.position, losses=[*checkpoint.position.losses])
        self._backends = checkpoint.backends


def _number(name: str, arrays: list[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{name}/{index}": array for index, array in enumerate(arrays)}


def _numbered(arrays: dict[str, NDArray[Any]], name: str) -> list[NDArray[Any]]:
    count = sum(key.startswith(f"{name}/") for key in arrays)
    return [arrays[f"{name}/{index}"] for index in range(count)]


def _assign(variables: list[Any], arrays: list[NDArray[Any]]) -> None:
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
