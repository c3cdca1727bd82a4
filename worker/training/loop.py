"""The compiled loop: many optimizer steps in one call, for one phase and fixed shapes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.strategies.recipe import Group, Phase, Stream
from worker.training.checkpoint import Backend

# A chunk a stream: items (capacity, batch, …) and labels (capacity, batch).
Chunk = Mapping[Stream, tuple[NDArray[Any], NDArray[np.int32]]]


@dataclass(frozen=True)
class Geometry:
    """The shapes that a loop is compiled for."""

    batch: int
    capacity: int  # steps that one chunk holds
    classes: int
    rows: tuple[tuple[tuple[int, ...], str], ...]  # shape and dtype of an item of each stream
    backend: Backend


@dataclass
class Sums:
    """What an epoch has added up so far."""

    loss: np.float64  # of the steps' mean losses
    confusion: NDArray[np.int64]  # (classes, classes): true by predicted

    @classmethod
    def zero(cls, classes: int) -> "Sums":
        return cls(np.float64(0), np.zeros((classes, classes), np.int64))


def empty_chunk(phase: Phase, geometry: Geometry) -> Chunk:
    shape = (geometry.capacity, geometry.batch)
    return {
        stream: (np.zeros((*shape, *row), dtype), np.zeros(shape, np.int32))
        for stream, (row, dtype) in zip(phase.streams, geometry.rows, strict=True)
    }


class Loop:
    """Owns the phase's optimizers. How many steps a call runs never changes the bits."""

    def __init__(self, phase: Phase, geometry: Geometry) -> None:
        self._phase = phase
        self._capacity, self._seconds_per_step = geometry.capacity, 0.0
        self._optimizers = [_optimizer(phase, group) for group in phase.groups]
        self._run = tf.function(self._steps, jit_compile=geometry.backend == "xla", autograph=False)
        self.run(empty_chunk(phase, geometry), 0, Sums.zero(geometry.classes))  # compiles

    @property
    def variables(self) -> list[keras.Variable]:
        return [variable for optimizer in self._optimizers for variable in optimizer.variables]

    def reset(self) -> None:
        """The optimizers as they are before the first step."""
        for optimizer, group in zip(self._optimizers, self._phase.groups, strict=True):
            for variable in optimizer.variables:
                variable.assign(np.zeros(variable.shape, variable.dtype))
            optimizer.learning_rate = group.learning_rate

    def run(self, chunk: Chunk, count: int, sums: Sums) -> Sums:
        """Trains on the first `count` batches of `chunk`; returns `sums` with theirs added."""
        began = time.perf_counter()
        loss, confusion = self._run(chunk, tf.constant(count), sums.loss, sums.confusion)
        sums = Sums(loss.numpy(), confusion.numpy())
        if count:
            self._seconds_per_step = (time.perf_counter() - began) / count
        return sums

    def affordable(self, seconds: float) -> int:
        """How many steps take about `seconds`, by the last measurement; at least 1."""
        if not self._seconds_per_step:
            return 1
        return max(1, min(self._capacity, int(seconds / self._seconds_per_step)))

    def _steps(
        self, chunk: Any, count: tf.Tensor, loss: tf.Tensor, confusion: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        first = self._phase.streams[0]

        def step(
            index: tf.Tensor, loss: tf.Tensor, confusion: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            batch = {stream: (x[index], y[index]) for stream, (x, y) in chunk.items()}
            step_loss, logits = self._train(batch)
            predicted = tf.argmax(logits, 1, tf.int32)
            cells = tf.stack([batch[first][1], predicted], 1)
            ones = tf.ones(tf.shape(predicted), tf.int64)
            return (
                index + 1,
                loss + tf.cast(step_loss, tf.float64),
                tf.tensor_scatter_nd_add(confusion, cells, ones),
            )

        _, loss, confusion = tf.while_loop(
            lambda index, *_: index < count,
            step,
            (tf.constant(0), loss, confusion),
            parallel_iterations=1,
        )
        return loss, confusion

    def _train(self, batch: Any) -> tuple[tf.Tensor, tf.Tensor]:
        groups = self._phase.groups
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for group in groups:
                tape.watch([variable.value for variable in group.variables])
            loss, logits = self._phase.loss(batch)
        gradients = tape.gradient(
            loss, [[variable.value for variable in group.variables] for group in groups]
        )
        for optimizer, group, gradient in zip(self._optimizers, groups, gradients, strict=True):
            optimizer.apply(gradient, list(group.variables))
        return loss, logits


def _optimizer(phase: Phase, group: Group) -> keras.optimizers.Optimizer:
    rate, decay = float(group.learning_rate), phase.weight_decay
    optimizer: keras.optimizers.Optimizer
    match phase.optimizer:
        case "adam":  # with weight decay it is AdamW: Keras's decay is decoupled
            optimizer = keras.optimizers.Adam(rate, weight_decay=decay or None)
        case "adamw":
            optimizer = keras.optimizers.AdamW(rate, weight_decay=decay)
        case "sgd":
            optimizer = keras.optimizers.SGD(
                rate, momentum=0.9, nesterov=True, weight_decay=decay or None
            )
    optimizer.build(list(group.variables))
    return optimizer
