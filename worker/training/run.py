"""Runs a trial: phase after phase, epoch after epoch, chunk after chunk of compiled steps."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.spec.figures import Conditions
from worker.backbones.network import Network
from worker.evaluation.measures import measures_of
from worker.machine.device import configure_tensorflow, this_device
from worker.strategies.recipe import Phase, Relabel
from worker.training import predict
from worker.training.checkpoint import Checkpoint
from worker.training.chunk_plan import ChunkPlan, chunk_plan
from worker.training.data import Split
from worker.training.device_errors import typed_errors
from worker.training.features import features_of
from worker.training.feed import BatchFeed, Chunk, rows_of_step
from worker.training.inputs import Inputs
from worker.training.items import Items
from worker.training.loop import Loop, Refused, Results
from worker.training.population_norms import measure
from worker.training.program import choose_backend, program_of
from worker.training.setup import EpochRecord, Interrupted, Journal, Signal, TrialSetup
from worker.training.silent_rows import silence
from worker.training.state import Arrays, TrialState, assign, values
from worker.training.step_schedule import StepSchedule, check_finite, has_ended, share_done
from worker.training.sums import Sums

CHUNK_SECONDS = 0.5  # between two looks at the journal
INFERENCE_ROWS = 4096  # likewise

Inference = Callable[[Network, Items], NDArray[np.float32]]


def train(setup: TrialSetup, journal: Journal, checkpoint: Checkpoint | None = None) -> Network:
    """Trains, or goes on from `checkpoint` with the same bits as if nothing had happened.

    The network is the process's one of its architecture (program.shared_network): it holds the
    trained weights until the next trial of that architecture takes it.

    Raises Interrupted when the journal signals, WorkFailure `diverged` when the loss is not finite,
    `out_of_memory`, `device_failed`.
    """
    trial = _Trial(setup, journal, checkpoint)
    with typed_errors(lambda: trial.phase.name):
        return trial.run()


class _Trial:
    """A trial under way."""

    def __init__(self, setup: TrialSetup, journal: Journal, checkpoint: Checkpoint | None) -> None:
        self._threads = configure_tensorflow()
        self._setup, self._journal = setup, journal
        self._program = program_of(setup)
        self._network = self._program.network
        self._measures = measures_of(setup.target.schema.task)
        self._batch = min(setup.training.batch_size, len(setup.target.train))
        self._steps = -(-len(setup.target.train) // self._batch)  # an epoch
        self._inputs = Inputs(setup, self._network, self._program.source_inputs, self._look)
        self._loop: Loop | None = None
        self._program.initialise(setup.seed)
        if checkpoint:
            known = self._program.variables, setup.seed, self._threads, self._measures
            self._state = TrialState.of_checkpoint(checkpoint, *known)
            return
        silence(self._network, setup.target.train.items)
        if setup.source_weights:
            self._program.start_from(setup.source_weights, setup)
        backends = tuple(
            choose_backend(phase, self._network, self._steps, setup.trials)
            for phase in self._program.phases
        )
        self._state = TrialState(backends, Sums.zero(self._measures))

    @property
    def phase(self) -> Phase:
        return self._program.phases[self._state.position.phase]

    @property
    def _progress(self) -> float:
        return share_done(self._program.phases, self._state.position, self._steps)

    def run(self) -> Network:
        for index in range(self._state.position.phase, len(self._program.phases)):
            if index > self._state.position.phase:
                self._loop = None
                self._state.begin_phase(index)
            self._run_phase()
        return self._network

    def _run_phase(self) -> None:
        phase, state = self.phase, self._state
        position = state.position
        streams, validation = self._inputs.of(phase)
        of_step = rows_of_step(phase, streams, self._batch, self._setup.training.batch_size)
        feed = BatchFeed(streams, of_step, self._steps, [self._setup.seed, position.phase])
        loop, plan = self._begin_loop(feed, validation)
        if phase.prepare and position.epochs == position.step == 0:
            phase.prepare(lambda named=None: self._inputs.outlook(named or phase.streams[0]))
        looked_at = validation.items.head(plan.looked_at).read()
        inside = tf.nest.map_structure(tf.constant, looked_at)
        while not has_ended(phase, position):
            self._look()
            if phase.relabel:
                feed.relabel(self._labels_of_epoch(phase.relabel, streams[phase.streams[0]]))
            began = time.perf_counter()
            count = self._affordable_steps(loop, plan)
            first, room = position.epochs * self._steps + position.step, plan.room(count)
            chunk = feed.chunk(first, count, room)
            schedule = StepSchedule.of(phase, self._steps, first, room)
            before = [] if loop.has_run else values([*self._program.variables, *loop.variables])
            try:
                results = loop.run(chunk.data, chunk.order, schedule, count, inside)
            except Refused as refusal:
                self._give_way(refusal, loop, before)
                loop, plan = self._begin_loop(feed, validation)
                continue
            seconds = time.perf_counter() - began
            self._take(results, chunk, schedule, validation, seconds)
            self._journal.moved(self._progress)
        self._settle_weights(loop)
        self._measure_norms()

    def _begin_loop(self, feed: BatchFeed, validation: Split) -> tuple[Loop, ChunkPlan]:
        state, phase, index = self._state, self.phase, self._state.position.phase
        limits = self._program.limits[index]
        backend = limits.backend(state.backends[index])
        plan = chunk_plan(phase, feed, validation, self._network, backend)
        loop = self._loop = self._program.loop(index, plan.shapes)
        if state.slots:
            assign(loop.variables, state.slots)
            state.slots = []
        state.settle(index, backend, limits.notes(phase.name, backend))
        self._journal.computed_by(
            Conditions(
                device=this_device().name,
                precision=self._network.architecture.precision,
                loops=list(state.backends),
                notes=list(state.notes),
            )
        )
        return loop, plan

    def _give_way(self, refusal: Refused, loop: Loop, before: Arrays) -> None:
        """All is again as before the call; the phase goes on as it can."""
        count = len(self._program.variables)
        assign(self._program.variables, before[:count])
        self._state.slots = before[count:]
        self._program.limits[self._state.position.phase].learn(loop, str(refusal))

    def _affordable_steps(self, loop: Loop, plan: ChunkPlan) -> int:
        """Whole epochs where there is time for them, else a part of one; never past a place where
        the phase may end."""
        phase, position = self.phase, self._state.position
        affordable = min(plan.capacity, loop.affordable(CHUNK_SECONDS))
        rest = self._steps - position.step
        if affordable < rest:
            chunks = -(-rest // affordable)
            return -(-rest // chunks)  # alike: a call costs the same however short it is
        epochs = min(plan.epochs, phase.epochs - position.epochs)
        if phase.stop:
            epochs = min(epochs, phase.stop.epochs_to_look(position.epochs))
        return rest + min(epochs - 1, (affordable - rest) // self._steps) * self._steps

    def _take(
        self,
        results: Results,
        chunk: Chunk,
        schedule: StepSchedule,
        validation: Split,
        seconds: float,
    ) -> None:
        """What a chunk has brought, epoch by epoch."""
        position, records = self._state.position, list[EpochRecord]()
        steps, start = len(results.losses), 0
        per_step = seconds / steps
        ends = [int(end) + 1 for end in np.flatnonzero(schedule.ends[:steps])]
        for number, end in enumerate(ends):
            part = slice(start, end)
            self._add(results, chunk, part)
            position.seconds += per_step * (end - start)
            inside = results.validation[number] if results.validation.size else None
            rate = float(schedule.rates[end - 1].max(initial=0.0))
            records += self._end_epoch(validation, inside, rate)
            start = end
        self._add(results, chunk, slice(start, None))
        position.step += steps - start
        position.seconds += per_step * (steps - start)
        check_finite(self._state.sums.loss, self.phase, position)
        if ends:
            self._journal.epoch_ended(records, self._progress, self._snapshot)

    def _add(self, results: Results, chunk: Chunk, part: slice) -> None:
        y, known = (
            each.reshape(len(results.losses), -1, *each.shape[1:])[part]
            for each in (chunk.y, chunk.known)
        )
        self._state.sums.add(results.losses[part], y, known, results.statistics[part])

    def _labels_of_epoch(self, relabel: Relabel, rows: Split) -> NDArray[np.int32]:
        """Those of the epoch under way, made when it begins."""
        if self._state.labels is None or self._state.position.step == 0:
            self._measure_norms()
            self._state.labels = relabel(features_of(self._network, rows.items, self._look))
        return self._state.labels

    def _end_epoch(
        self, validation: Split, outputs: NDArray[np.float32] | None, rate: float
    ) -> list[EpochRecord]:
        phase, position, sums = self.phase.name, self._state.position, self._state.sums
        check_finite(sums.loss, self.phase, position)
        metrics = sums.metrics(self._steps)
        position.losses.append(metrics["loss"])
        records = [EpochRecord.of(phase, position, "train", metrics, rate, position.seconds)]
        if len(validation) and validation.is_labelled:
            began = time.perf_counter()
            if outputs is None:
                outputs = self._validate(validation)
            metrics = self._measures.watched(validation.y, outputs)
            # The last step's harm shows here first.
            check_finite(metrics["loss"], self.phase, position)
            seconds = time.perf_counter() - began
            records.append(EpochRecord.of(phase, position, "validation", metrics, rate, seconds))
            loss = self._program.watched_loss(validation.y, outputs, metrics["loss"])
            self._keep_the_best(loss, len(validation))
        position.epochs, position.step, position.seconds = position.epochs + 1, 0, 0.0
        self._state.sums = Sums.zero(self._measures)
        return records

    def _validate(self, validation: Split) -> NDArray[np.float32]:
        phase = self.phase
        infer = predict.head_outputs if phase.inputs == "features" else predict.outputs_of
        with self._averaged():
            if phase.optimization.early_stopping:  # the best epoch must not be one of stale norms
                self._measure_norms()
            return self._infer(infer, validation.items)

    def _keep_the_best(self, loss: float, items: int) -> None:
        """`loss`: over so many validation items."""
        phase, position = self.phase, self._state.position
        patience = phase.optimization.early_stopping
        if patience is None or items < patience.min_items:
            return
        if position.best_loss is None or loss < position.best_loss - patience.min_delta:
            position.best_loss, position.best_epoch = loss, position.epochs + 1
            with self._averaged():
                self._state.best = values(self._program.variables)

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The moving averages stand in the weights' place, where the phase keeps them."""
        if self._loop is None or self.phase.optimization.ema_momentum is None:
            yield
            return
        raw = values(self._program.variables)
        self._loop.take_averages()
        try:
            yield
        finally:
            assign(self._program.variables, raw)

    def _settle_weights(self, loop: Loop) -> None:
        """The best epoch's where the phase stops early, else the averages where it keeps them."""
        if self._state.best:
            assign(self._program.variables, self._state.best)
        else:
            loop.take_averages()

    def _measure_norms(self) -> None:
        if stream := self.phase.norms:
            measure(self._network, self._inputs.normed(self.phase, stream), self._setup.seed)

    def _infer(self, infer: Inference, items: Items) -> NDArray[np.float32]:
        """Looks at the journal between blocks. A pause waits until the epoch has ended: the weights
        are those after its last step, and what is known of it is not yet put away."""
        blocks = []
        for number, block in enumerate(items.blocks(INFERENCE_ROWS)):
            if number:
                self._look(may_pause=False)
            blocks.append(infer(self._network, block))
        return np.concatenate(blocks)

    def _look(self, may_pause: bool = True) -> None:
        signal = self._journal.signal()
        if signal is not None and (may_pause or signal is not Signal.PAUSE):
            raise Interrupted(self._snapshot() if signal is Signal.PAUSE else None)

    def _snapshot(self) -> Checkpoint:
        slots = self._loop.variables if self._loop else None
        return self._state.to_checkpoint(
            self._program.variables, slots, self._setup.seed, self._threads
        )
