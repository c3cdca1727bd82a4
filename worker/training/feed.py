"""Rows of a phase's streams on their way into the compiled loop.

What fits stays on the device and is chosen from there by position; what does not is gathered from
the memory map chunk by chunk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.strategies.recipe import Stream
from worker.training.data import Indices, Labels, Split

RESIDENT_BYTES = 512 * 2**20
CHUNK_BYTES = 32 * 2**20

# A stream: rows (n, …) and their labels (n,), from which `order` picks.
Data = Mapping[Stream, tuple[Any, Any]]
# A stream: positions in its rows, (capacity, batch), int32.
Order = Mapping[Stream, NDArray[np.int32]]


@dataclass(frozen=True)
class RowsShape:
    """What a loop must know of a stream before it is compiled; `count` is None while streaming."""

    item: tuple[int, ...]
    dtype: str
    count: int | None


class Feed:
    """`seeds` and the epoch's number decide the order of the rows, whatever the chunks."""

    def __init__(
        self, streams: Mapping[Stream, Split], batch: int, epoch_steps: int, seeds: list[int]
    ) -> None:
        self.batch = batch
        self._streams, self.epoch_steps = streams, epoch_steps
        self._seeds = seeds
        self._order_of: tuple[int, dict[Stream, Indices]] = (-1, {})
        size = sum(_bytes(split, len(split)) for split in streams.values())
        self._is_resident = size <= RESIDENT_BYTES
        self._resident: Data = {}
        if self._is_resident:
            self._resident = {
                stream: (tf.constant(np.asarray(split.x)), tf.constant(split.y))
                for stream, split in streams.items()
            }

    def relabel(self, labels: Labels) -> None:
        """The first stream's rows get other labels, (n,), from now on."""
        first = next(iter(self._streams))
        self._streams = {
            stream: replace(split, y=labels) if stream == first else split
            for stream, split in self._streams.items()
        }
        if self._is_resident:
            self._resident = {
                **self._resident,
                first: (self._resident[first][0], tf.constant(labels)),
            }

    @property
    def shapes(self) -> tuple[RowsShape, ...]:
        return tuple(
            RowsShape(
                split.x.shape[1:], str(split.x.dtype), len(split) if self._is_resident else None
            )
            for split in self._streams.values()
        )

    @property
    def capacity(self) -> int:
        """Steps that a chunk may hold at most."""
        if self._is_resident:
            return max(self.epoch_steps, 1024)
        step = sum(_bytes(split, self.batch) for split in self._streams.values())
        return min(self.epoch_steps, max(1, CHUNK_BYTES // step))

    def chunk(self, first: int, count: int, capacity: int) -> tuple[Data, Order, Labels]:
        """Steps `first` to `first + count` of the phase, in whichever epochs those are.

        Returns:
            the rows, the order in which the steps take them, and the labels (count * batch,) of the
            first stream in that order.
        """
        picked = self._positions(first, count)
        labels = next(iter(self._streams.values())).y[next(iter(picked.values()))]
        if self._is_resident:
            return self._resident, self._padded(picked, capacity), labels
        rows = capacity * self.batch
        data: dict[Stream, tuple[Any, Any]] = {}
        for stream, positions in picked.items():
            split = self._streams[stream]
            x = np.zeros((rows, *split.x.shape[1:]), split.x.dtype)
            y = np.zeros(rows, split.y.dtype)
            split.gather(positions, x[: len(positions)])
            y[: len(positions)] = split.y[positions]
            data[stream] = x, y
        in_turn = {stream: np.arange(count * self.batch) for stream in picked}
        return data, self._padded(in_turn, capacity), labels

    def _positions(self, first: int, count: int) -> dict[Stream, Indices]:
        parts: dict[Stream, list[Indices]] = {stream: [] for stream in self._streams}
        step, last = first, first + count
        while step < last:
            epoch, within = divmod(step, self.epoch_steps)
            steps = min(last - step, self.epoch_steps - within)
            rows = slice(within * self.batch, (within + steps) * self.batch)
            for stream, order in self._epoch(epoch).items():
                parts[stream].append(order[rows])
            step += steps
        return {stream: np.concatenate(orders) for stream, orders in parts.items()}

    def _epoch(self, epoch: int) -> dict[Stream, Indices]:
        if self._order_of[0] != epoch:
            rows = self.epoch_steps * self.batch
            orders = {
                stream: epoch_order(len(split), rows, [*self._seeds, epoch, index])
                for index, (stream, split) in enumerate(self._streams.items())
            }
            self._order_of = epoch, orders
        return self._order_of[1]

    def _padded(self, picked: dict[Stream, Indices], capacity: int) -> Order:
        padded = {}
        for stream, positions in picked.items():
            order = np.zeros(capacity * self.batch, np.int32)
            order[: len(positions)] = positions
            padded[stream] = order.reshape(capacity, self.batch)
        return padded


def epoch_order(items: int, rows: int, seeds: list[int]) -> Indices:
    """Positions (rows,) in a stream of `items`: a permutation of all, going round when it ends."""
    return np.resize(np.random.default_rng(seeds).permutation(items), rows)


def _bytes(split: Split, rows: int) -> int:
    return rows * int(np.prod(split.x.shape[1:])) * split.x.dtype.itemsize
