"""The compiled loop: many optimizer steps in one call, for one phase and fixed shapes."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.backbones.fused_norm import fused_norms
from worker.backbones.network import Network
from worker.backbones.norm_momentum import norm_momentum
from worker.failures import file_error
from worker.inputs.contract import X
from worker.machine.device import deterministic_operations, this_device
from worker.objectives.contract import Objective
from worker.strategies.recipe import FEATURES, Batch, Batches, Phase, Stream
from worker.training.checkpoint import Backend
from worker.training.compile_budget import compiling, overran
from worker.training.device_errors import essence
from worker.training.feed import Order, RowsShape
from worker.training.optimizers import averaging, optimizer_of
from worker.training.step_schedule import StepSchedule


@dataclass(frozen=True)
class Shapes:
    """Sizes that a loop is compiled for. XLA has to know all sizes; a plain loop takes any
    (None)."""

    batch: int | None
    classes: int
    rows: tuple[RowsShape, ...]  # of each stream
    # Items that the loop looks at itself, at the ends of epochs: many short epochs run in one call.
    # None of them: the epochs' ends are the caller's.
    validation: RowsShape
    steps: int | None  # that one call has data for
    epochs: int | None  # ends of epochs that one call may hold
    backend: Backend

    def of_any_size(self) -> "Shapes":
        return replace(
            self,
            batch=None,
            rows=tuple(replace(shape, count=None) for shape in self.rows),
            validation=replace(self.validation, count=None),
            steps=None,
            epochs=None,
        )


@dataclass(frozen=True)
class Results:
    """Results of the steps that ran, and of the epochs that ended with them."""

    losses: NDArray[np.float32]  # (steps,), means over the batches
    statistics: NDArray[Any]  # (steps, batch, k) of the objective, for the first stream's rows
    validation: NDArray[np.float32]  # outputs (epochs, items, classes)


class Refused(Exception):
    """A loop's first call failed for the way it was to run: XLA could not compile it, or an
    operation has no deterministic form on this device. Nothing that counts has been trained."""


class Loop:
    """Owns the phase's optimizers. How many steps a call runs never changes the bits.

    Learning rates and the number of epochs come with each call: one loop serves all of them.
    """

    def __init__(
        self,
        phase: Phase,
        network: Network,
        shapes: Shapes,
        prepare: Mapping[Stream, Callable[[X], X]],
        objectives: Mapping[Stream, Objective],
        identity: str,
    ) -> None:
        """`prepare`: raw rows of a stream into what the phase's loss takes. `objectives`: whose
        labels a stream has. `identity`: of what is compiled but for its sizes, the same in another
        process."""
        self._phase, self._network, self._shapes = phase, network, shapes
        self._prepare, self._objectives, self._identity = prepare, objectives, identity
        self._objective = objectives[phase.streams[0]]
        self.has_run, self._seconds_per_step = False, 0.0
        self._optimizers = [
            optimizer_of(phase.optimization, group, shapes.backend) for group in phase.groups
        ]
        is_xla = shapes.backend == "xla"
        self._run = tf.function(
            self._steps,
            input_signature=None if is_xla else self._any_size(),
            jit_compile=is_xla,
            autograph=False,
        )
        on_gpu = this_device().is_gpu
        self._layers = nullcontext if is_xla or on_gpu else fused_norms
        # XLA's bits are the same each time; a GPU's other operations must be asked for that.
        self.is_deterministic = on_gpu and not is_xla

    @property
    def backend(self) -> Backend:
        return self._shapes.backend

    @property
    def variables(self) -> list[keras.Variable]:
        return [variable for optimizer in self._optimizers for variable in optimizer.variables]

    def reset(self) -> None:
        """The optimizers as they are before the first step."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def take_averages(self) -> None:
        """The moving averages become the weights, where the phase keeps them."""
        for optimizer, group in zip(self._optimizers, self._phase.groups, strict=True):
            if optimizer.use_ema:
                optimizer.finalize_variable_values(list(group.variables))

    def run(
        self, data: Batches, order: Order, schedule: StepSchedule, count: int, validation: X
    ) -> Results:
        """Trains on the first `count` batches of `order`.

        Args:
            validation: tensors (n, …) as shapes.validation says; no items where n is 0.

        Raises:
            Refused: this is the loop's first call.
        """
        began = time.perf_counter()
        inputs = data, order, schedule.by_step, tf.constant(count), validation
        losses, statistics, outputs = self._call(*inputs)
        results = Results(losses.numpy()[:count], statistics.numpy()[:count], outputs.numpy())
        if self.has_run:  # the first call compiles, too
            self._seconds_per_step = (time.perf_counter() - began) / count
        self.has_run = True
        return results

    def _call(self, *inputs: Any) -> Any:
        is_xla = self._shapes.backend == "xla"
        try:
            with self._surroundings():
                return self._run(*inputs)
        except tf.errors.ResourceExhaustedError:
            raise
        except tf.errors.OpError as error:
            # `unimplemented`: what an operation without a deterministic form says
            is_unable = is_xla or (
                self.is_deterministic and isinstance(error, tf.errors.UnimplementedError)
            )
            if self.has_run or not is_unable or file_error(error):
                raise
            raise Refused(essence(error)) from error

    def _surroundings(self) -> AbstractContextManager[None]:
        if self.is_deterministic:
            return deterministic_operations()
        if self.backend == "xla" and not self.has_run:
            if known := overran(self._identity):
                raise Refused(known)
            return compiling(self._identity)
        return nullcontext()

    def affordable(self, seconds: float) -> int:
        """Number of steps that take about `seconds`, by the last measurement; at least 1."""
        return max(1, int(seconds / self._seconds_per_step)) if self._seconds_per_step else 1

    def _any_size(self) -> list[Any]:
        """The signature of `_steps` for data, batches and calls of any size."""

        def spec(dtype: Any, *shape: int | None) -> tf.TensorSpec:
            return tf.TensorSpec(shape, dtype)

        def items(rows: RowsShape) -> dict[str, tf.TensorSpec]:
            return {each.name: spec(each.dtype, None, *each.shape) for each in rows.items}

        phase, shapes = self._phase, self._shapes

        def labels(stream: Stream) -> tf.TensorSpec:
            objective = self._objectives[stream]
            return spec(objective.label_type, None, *objective.label_shape)

        return [
            {
                stream: Batch(items(rows), labels(stream), spec(tf.bool, None))
                for stream, rows in zip(phase.streams, shapes.rows, strict=True)
            },
            {stream: spec(tf.int32, None, None) for stream in phase.streams},
            (
                spec(tf.float32, None, len(phase.groups)),
                spec(tf.float32, None),
                spec(tf.bool, None),
                spec(tf.float32, None),
            ),
            spec(tf.int32),
            items(shapes.validation),
        ]

    def _steps(
        self, data: Batches, order: Any, schedule: Any, count: tf.Tensor, validation: X
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        shapes = self._shapes
        rates, progress, ends, momenta = schedule
        items, epochs = tf.shape(next(iter(validation.values())))[0], shapes.epochs
        if epochs is None:  # XLA would compile a slice anew for each `count`
            looked_at = tf.cast(ends[:count] & (items > 0), tf.int32)
            epochs = tf.maximum(1, tf.reduce_sum(looked_at))
        losses = _array(tf.float32, shapes.steps or count, ())
        kind, width = self._objective.statistic_spec
        statistics = _array(kind, shapes.steps or count, (shapes.batch, width))
        validated = _array(tf.float32, epochs, (shapes.validation.count, shapes.classes))
        validated = validated.write(0, tf.zeros((items, shapes.classes)))  # where none looks

        def step(index: tf.Tensor, ended: tf.Tensor, *arrays: Any) -> tuple[Any, ...]:
            losses, statistics, validated = arrays
            picked = {stream: positions[index] for stream, positions in order.items()}
            batch = {
                stream: self._prepared(stream, data[stream], rows)
                for stream, rows in picked.items()
            }
            with norm_momentum(self._network, momenta[index]):
                loss, outputs = self._train(batch, rates[index], progress[index])
            losses = losses.write(index, loss)
            y = batch[self._phase.streams[0]].y
            statistics = statistics.write(index, self._objective.statistic(outputs, y))
            if shapes.validation.count != 0:
                looks = ends[index] & (items > 0)
                validated = tf.cond(
                    looks,
                    lambda: validated.write(ended, self._infer(validation)),
                    lambda: validated,
                )
                ended += tf.cast(looks, tf.int32)
            return index + 1, ended, losses, statistics, validated

        _, _, losses, statistics, validated = tf.while_loop(
            lambda index, *_: index < count,
            step,
            (tf.constant(0), tf.constant(0), losses, statistics, validated),
            parallel_iterations=1,
        )
        return losses.stack(), statistics.stack(), validated.stack()

    def _infer(self, items: X) -> tf.Tensor:
        if self._phase.inputs == "features":
            return self._network.head(items[FEATURES], training=False)
        return self._network.raw_outputs(items)

    def _prepared(self, stream: Stream, data: Batch, rows: tf.Tensor) -> Batch:
        batch: Batch = tf.nest.map_structure(lambda each: tf.gather(each, rows), data)
        if self._phase.inputs == "features":
            return batch
        return batch._replace(x=self._prepare[stream](batch.x))

    def _train(
        self, batch: Batches, rates: tf.Tensor, progress: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        phase = self._phase
        with (
            self._layers(self._network.backbone),
            tf.GradientTape(
                persistent=phase.combine is not None, watch_accessed_variables=False
            ) as tape,
        ):
            for group in phase.groups:
                tape.watch([variable.value for variable in group.variables])
            loss, outputs = phase.loss(batch, progress)
            losses = tf.unstack(loss) if phase.combine else []
        watched = [[variable.value for variable in group.variables] for group in phase.groups]
        if phase.combine:
            of_tasks = [tape.gradient(task, tf.nest.flatten(watched)) for task in losses]
            gradients = tf.nest.pack_sequence_as(watched, phase.combine(of_tasks))
        else:
            gradients = tape.gradient(loss, watched)
        if phase.optimization.clip_norm is not None:
            flat, _ = tf.clip_by_global_norm(
                tf.nest.flatten(gradients), phase.optimization.clip_norm
            )
            gradients = tf.nest.pack_sequence_as(gradients, flat)
        for number, (optimizer, group) in enumerate(
            zip(self._optimizers, phase.groups, strict=True)
        ):
            optimizer.learning_rate = rates[number]
            with averaging(phase.optimization, optimizer):
                optimizer.apply(gradients[number], list(group.variables))
        if phase.after_step:
            with self._layers(self._network.backbone):
                phase.after_step(batch)
        return tf.reduce_sum(loss), outputs


def _array(dtype: tf.DType, size: Any, element: tuple[int | None, ...]) -> tf.TensorArray:
    return tf.TensorArray(dtype, size, element_shape=element, clear_after_read=False)
