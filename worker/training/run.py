"""Runs a trial: phase after phase, epoch after epoch, chunk after chunk of compiled steps."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import structlog
import tensorflow as tf
from numpy.typing import NDArray

from app.errors import FailureCode, WorkFailure
from worker.backbones.network import Network
from worker.evaluation.metrics import classification_metrics, metrics_from_counts
from worker.strategies.recipe import Phase, Stream
from worker.training import predict
from worker.training.checkpoint import Backend, Checkpoint, Position
from worker.training.data import Domain, Indices, Rows, Split
from worker.training.device import configure_tensorflow
from worker.training.loop import Chunk, Geometry, Loop, Sums, empty_chunk
from worker.training.program import choose_backend, program_of
from worker.training.setup import EpochRecord, Interrupted, Journal, Signal, TrialSetup

CHUNK_SECONDS = 0.4  # between two looks at the journal
CHUNK_BYTES = 32 * 2**20
INFERENCE_ROWS = 4096  # likewise
HEAD_STEP_COST = 0.1  # of a step of the head on cached features, over one of the network

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
        trials = 1 if setup.role == "pretrain" else setup.spec.evaluation.seeds
        self._backends: tuple[Backend, ...] = tuple(
            choose_backend(phase, self._network, self._steps, trials)
            for phase in self._program.phases
        )
        self._program.initialise(setup.seed)
        if checkpoint:
            self._restore(checkpoint)
        elif setup.source_weights:
            self._network.load_backbone(setup.source_weights)

    @property
    def phase(self) -> Phase:
        return self._program.phases[self._position.phase]

    def run(self) -> Network:
        for index in range(self._position.phase, len(self._program.phases)):
            if index > self._position.phase:
                self._position, self._loop = Position(phase=index), None
            self._run_phase()
        return self._network

    def _run_phase(self) -> None:
        phase, position = self.phase, self._position
        streams, validation = self._inputs(phase)
        geometry = self._geometry(phase, streams)
        loop = self._loop = self._program.loop(position.phase, geometry)
        if self._slots:
            _assign(loop.variables, self._slots)
            self._slots = []
        chunk = empty_chunk(phase, geometry)
        while position.epochs < phase.epochs and not _converged(phase, position):
            self._run_epoch(loop, chunk, streams)
            self._end_epoch(validation)

    def _run_epoch(self, loop: Loop, chunk: Chunk, streams: dict[Stream, Split]) -> None:
        position, batch = self._position, self._batch
        rows = self._steps * batch
        seeds = [self._setup.seed, position.phase, position.epochs]
        orders = {
            stream: epoch_order(len(split), rows, [*seeds, index])
            for index, (stream, split) in enumerate(streams.items())
        }
        while position.step < self._steps:
            self._obey(self._journal.signal())
            began = time.perf_counter()
            count = min(loop.affordable(CHUNK_SECONDS), self._steps - position.step)
            for stream, (x, y) in chunk.items():
                start = position.step * batch
                order = orders[stream][start : start + count * batch]
                streams[stream].gather(order, x.reshape(-1, *x.shape[2:])[: len(order)])
                y.reshape(-1)[: len(order)] = streams[stream].y[order]
            self._sums = loop.run(chunk, count, self._sums)
            position.step += count
            position.seconds += time.perf_counter() - began
            self._check_finite(self._sums.loss)

    def _end_epoch(self, validation: Split) -> None:
        phase, position, sums = self.phase, self._position, self._sums
        items = self._steps * self._batch
        metrics = metrics_from_counts(sums.confusion, float(sums.loss) * self._batch, items)
        records = [self._record("train", metrics, position.seconds)]
        loss = metrics["loss"]
        if len(validation):
            began = time.perf_counter()
            infer = predict.head_logits if phase.inputs == "features" else predict.logits
            metrics = classification_metrics(validation.y, self._infer(infer, validation.x))
            self._check_finite(metrics["loss"])  # the last step's harm shows here first
            records.append(self._record("validation", metrics, time.perf_counter() - began))
        position.losses.append(loss)
        position.epochs, position.step, position.seconds = position.epochs + 1, 0, 0.0
        self._sums = Sums.zero(self._classes)
        self._journal.epoch_ended(records, self._progress(), self._snapshot)

    def _check_finite(self, loss: float) -> None:
        if not np.isfinite(loss):
            epoch, phase = self._position.epochs + 1, self.phase.name
            raise WorkFailure(
                FailureCode.DIVERGED,
                f"expected a finite loss, got {loss} at epoch {epoch} of phase {phase}",
                stage=phase,
            )

    def _record(
        self, split: Literal["train", "validation"], metrics: dict[str, float], seconds: float
    ) -> EpochRecord:
        values = {name: metrics[name] for name in ("loss", "accuracy", "f1_macro")}
        values["learning_rate"] = max(group.learning_rate for group in self.phase.groups)
        values["seconds"] = seconds
        position = self._position
        return EpochRecord(self.phase.name, position.phase, position.epochs + 1, split, values)

    def _progress(self) -> float:
        """Cost of the steps done over that of all; a phase that has converged is done."""
        done, total, position = 0.0, 0.0, self._position
        for index, phase in enumerate(self._program.phases):
            cost = phase.epochs * (HEAD_STEP_COST if phase.inputs == "features" else 1.0)
            total += cost
            if index < position.phase or (index == position.phase and _converged(phase, position)):
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
        return Split(self._infer(predict.features, split.x), split.y)

    def _infer(self, infer: Inference, x: Rows) -> NDArray[np.float32]:
        """Looks at the journal between blocks: a pause here resumes before the first block."""
        blocks = []
        for start in range(0, max(1, len(x)), INFERENCE_ROWS):
            if start:
                self._obey(self._journal.signal())
            blocks.append(infer(self._network, x[start : start + INFERENCE_ROWS]))
        return np.concatenate(blocks)

    def _geometry(self, phase: Phase, streams: dict[Stream, Split]) -> Geometry:
        rows = tuple((split.x.shape[1:], str(split.x.dtype)) for split in streams.values())
        step_bytes = self._batch * sum(
            int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in rows
        )
        capacity = min(self._steps, max(1, CHUNK_BYTES // step_bytes))
        backend = self._backends[self._position.phase]
        return Geometry(self._batch, capacity, self._classes, rows, backend)

    def _obey(self, signal: Signal | None) -> None:
        if signal is not None:
            raise Interrupted(self._snapshot() if signal is Signal.PAUSE else None)

    def _snapshot(self) -> Checkpoint:
        slots = [slot.numpy() for slot in self._loop.variables] if self._loop else self._slots
        arrays = {
            **_number("network", [variable.numpy() for variable in self._program.variables]),
            **_number("optimizer", slots),
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
        self._slots = _numbered(arrays, "optimizer")
        self._sums = Sums(np.float64(arrays["sums/loss"]), arrays["sums/confusion"])
        self._position = replace(checkpoint.position, losses=[*checkpoint.position.losses])
        self._backends = checkpoint.backends


def epoch_order(items: int, rows: int, seeds: list[int]) -> Indices:
    """Positions (rows,) in a stream of `items`: a permutation of all, going round when it ends."""
    return np.resize(np.random.default_rng(seeds).permutation(items), rows)


def _converged(phase: Phase, position: Position) -> bool:
    return phase.stop is not None and phase.stop.reached(position.losses)


def _number(name: str, arrays: list[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{name}/{index}": array for index, array in enumerate(arrays)}


def _numbered(arrays: dict[str, NDArray[Any]], name: str) -> list[NDArray[Any]]:
    count = sum(key.startswith(f"{name}/") for key in arrays)
    return [arrays[f"{name}/{index}"] for index in range(count)]


def _assign(variables: list[Any], arrays: list[NDArray[Any]]) -> None:
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
