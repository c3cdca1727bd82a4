"""What an epoch has added up so far."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from worker.evaluation.metrics import ClassCounts

_LOSS, _COUNTS, _TABLE = "sums/loss", "sums/counts", "sums/confusion"


@dataclass
class Sums:
    loss: float  # of the steps' mean losses
    counts: ClassCounts  # of items with labels

    @classmethod
    def zero(cls, classes: int) -> Self:
        return cls(0.0, ClassCounts(*np.zeros((3, classes), np.int64)))

    @property
    def items(self) -> int:
        return int(self.counts.true.sum())

    def add(
        self, losses: NDArray[np.float32], labels: NDArray[np.int32], predicted: NDArray[np.int32]
    ) -> None:
        """losses (steps,); labels and predicted (steps, batch), labels -1 where there are none. One
        by one: however the steps are cut into chunks, the sum has the same bits."""
        for loss in losses.tolist():
            self.loss += loss
        known = labels >= 0
        new = ClassCounts.of(labels[known], predicted[known], len(self.counts.true))
        self.counts = ClassCounts(*(a + b for a, b in zip(self.counts, new, strict=True)))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The sums as a checkpoint holds them."""
        return {_LOSS: np.asarray(self.loss), _COUNTS: np.stack(self.counts)}

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """Reads a checkpoint's; those of earlier releases hold a table of true by predicted."""
        loss = float(arrays[_LOSS])
        if _COUNTS in arrays:
            return cls(loss, ClassCounts(*arrays[_COUNTS]))
        table = arrays[_TABLE]
        return cls(loss, ClassCounts(table.diagonal().copy(), table.sum(axis=1), table.sum(axis=0)))
