"""Rows of a phase's streams on their way into the compiled loop.

What fits stays on the device and is chosen from there by position; what does not is gathered from
the memory map chunk by chunk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.tensors import TensorSpec
from worker.strategies.recipe import Batch, Batches, Phase, Stream
from worker.training.data import Labels, Split
from worker.training.items import Indices

RESIDENT_BYTES = 512 * 2**20
CHUNK_BYTES = 32 * 2**20

# A stream: positions in its rows, (capacity, batch), int32.
Order = Mapping[Stream, NDArray[np.int32]]


@dataclass(frozen=True)
class RowsShape:
    """Facts that a loop must know of a stream before it is compiled; `count` is None while
    streaming."""

    items: tuple[TensorSpec, ...]
    count: int | None

    @classmethod
    def of(cls, split: Split, count: int | None) -> Self:
        return cls(split.items.specs, count)


class Chunk(NamedTuple):
    """Data of some steps: `order` picks from the rows of `data`. `y` and `known`, (rows,), are the
    first stream's labels in that order."""

    data: Batches
    order: Order
    y: Labels
    known: NDArray[np.bool_]


class BatchFeed:
    """`seeds` and the epoch's number decide the order of the rows, whatever the chunks."""

    def __init__(
        self,
        streams: Mapping[Stream, Split],
        rows: Mapping[Stream, int],
        epoch_steps: int,
        seeds: list[int],
    ) -> None:
        """`rows`: of each stream, that a step takes."""
        self._streams, self._rows, self.epoch_steps = streams, rows, epoch_steps
        self._seeds = seeds
        self._order_of: tuple[int, dict[Stream, Indices]] = (-1, {})
        size = sum(_bytes(split, len(split)) for split in streams.values())
        self._is_resident = size <= RESIDENT_BYTES
        self._resident: Batches = {}
        if self._is_resident:
            self._resident = {
                stream: Batch(
                    tf.nest.map_structure(tf.constant, split.items.read()),
                    tf.constant(split.y),
                    tf.constant(split.known),
                )
                for stream, split in streams.items()
            }

    def relabel(self, labels: Labels) -> None:
        """Gives the first stream's rows other labels, (n,), which are guesses: not known."""
        first = next(iter(self._streams))
        guessed = replace(self._streams[first], y=labels, known=np.zeros(len(labels), np.bool_))
        self._streams = {**self._streams, first: guessed}
        if self._is_resident:
            batch = self._resident[first]._replace(
                y=tf.constant(labels), known=tf.constant(guessed.known)
            )
            self._resident = {**self._resident, first: batch}

    @property
    def batch(self) -> int:
        """Rows of the first stream in a step."""
        return self._rows[next(iter(self._streams))]

    @property
    def shapes(self) -> tuple[RowsShape, ...]:
        return tuple(
            RowsShape.of(split, len(split) if self._is_resident else None)
            for split in self._streams.values()
        )

    @property
    def capacity(self) -> int:
        """Steps that a chunk may hold at most."""
        if self._is_resident:
            return max(self.epoch_steps, 1024)
        step = sum(_bytes(split, self._rows[stream]) for stream, split in self._streams.items())
        return min(self.epoch_steps, max(1, CHUNK_BYTES // step))

    def chunk(self, first: int, count: int, capacity: int) -> Chunk:
        """Gives steps `first` to `first + count` of the phase, in whichever epochs those are."""
        picked = self._positions(first, count)
        measured, positions = next(iter(self._streams.values())), next(iter(picked.values()))
        labels = measured.y[positions], measured.known[positions]
        if self._is_resident:
            return Chunk(self._resident, self._padded(picked, capacity), *labels)
        data: dict[Stream, Batch] = {}
        for stream, positions in picked.items():
            split, taken, rows = (
                self._streams[stream],
                len(positions),
                capacity * self._rows[stream],
            )
            x, known = split.items.room(rows), np.zeros(rows, np.bool_)
            y = np.zeros((rows, *split.y.shape[1:]), split.y.dtype)
            split.items.gather(positions, {name: column[:taken] for name, column in x.items()})
            y[:taken], known[:taken] = split.y[positions], split.known[positions]
            data[stream] = Batch(x, y, known)
        in_turn = {stream: np.arange(count * self._rows[stream]) for stream in picked}
        return Chunk(data, self._padded(in_turn, capacity), *labels)

    def _positions(self, first: int, count: int) -> dict[Stream, Indices]:
        parts: dict[Stream, list[Indices]] = {stream: [] for stream in self._streams}
        step, last = first, first + count
        while step < last:
            epoch, within = divmod(step, self.epoch_steps)
            steps = min(last - step, self.epoch_steps - within)
            for stream, order in self._epoch(epoch).items():
                rows = self._rows[stream]
                parts[stream].append(order[within * rows : (within + steps) * rows])
            step += steps
        return {stream: np.concatenate(orders) for stream, orders in parts.items()}

    def _epoch(self, epoch: int) -> dict[Stream, Indices]:
        if self._order_of[0] != epoch:
            orders = {
                stream: epoch_order(
                    len(split), self.epoch_steps * self._rows[stream], [*self._seeds, epoch, index]
                )
                for index, (stream, split) in enumerate(self._streams.items())
            }
            self._order_of = epoch, orders
        return self._order_of[1]

    def _padded(self, picked: dict[Stream, Indices], capacity: int) -> Order:
        padded = {}
        for stream, positions in picked.items():
            order = np.zeros(capacity * self._rows[stream], np.int32)
            order[: len(positions)] = positions
            padded[stream] = order.reshape(capacity, self._rows[stream])
        return padded


def rows_of_step(
    phase: Phase, streams: Mapping[Stream, Split], batch: int, batch_size: int
) -> dict[Stream, int]:
    """Rows of each stream in a step of a phase.

    `batch` of each, but where items without labels stand beside labelled ones: of these others, and
    of the source's, as many as the job's `batch_size` says, however few labels there are; of the
    source's likewise where the phase fills it.

    Args:
        batch: rows of `target`: batch_size, or all its items where these are fewer.
    """
    if phase.fills_source:
        return {
            stream: min(batch_size, len(split)) if stream == "source" else batch
            for stream, split in streams.items()
        }
    if "unlabelled" not in phase.streams:
        return dict.fromkeys(streams, batch)
    wanted: dict[Stream, int] = {
        "target": batch,
        "source": batch_size,
        "unlabelled": phase.unlabelled_batches * batch_size,
    }
    return {stream: min(wanted[stream], len(split)) for stream, split in streams.items()}


def epoch_order(items: int, rows: int, seeds: list[int]) -> Indices:
    """Positions (rows,) in a stream of `items`: a permutation of all, going round when it ends."""
    return np.resize(np.random.default_rng(seeds).permutation(items), rows)


def _bytes(split: Split, rows: int) -> int:
    return rows * split.items.item_bytes
