"""Sums that an epoch has added up so far."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from worker.evaluation.measures.contract import Labels, Measures, Tally

_LOSS, _TALLY, _TABLE = "sums/loss", "sums/counts", "sums/confusion"


@dataclass
class Sums:
    measures: Measures
    loss: float  # of the steps' mean losses
    tally: Tally  # of items with labels

    @classmethod
    def zero(cls, measures: Measures) -> Self:
        return cls(measures, 0.0, measures.nothing)

    @property
    def items(self) -> int:
        return self.measures.items(self.tally)

    def add(
        self,
        losses: NDArray[np.float32],
        y: Labels,
        known: NDArray[np.bool_],
        statistics: NDArray[Any],
    ) -> None:
        """losses (steps,); y and known (steps, batch), statistics (steps, batch, k). One by one:
        however the steps are cut into chunks, the sum has the same bits."""
        for loss in losses.tolist():
            self.loss += loss
        self.tally = self.measures.added(self.tally, y, known, statistics)

    def metrics(self, steps: int) -> dict[str, float]:
        """Metrics of an epoch of so many steps; the loss alone where no item has a label."""
        loss = float(self.loss) / steps
        return self.measures.of_epoch(self.tally, loss) if self.items else {"loss": loss}

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The sums as a checkpoint holds them."""
        return {_LOSS: np.asarray(self.loss), _TALLY: self.tally}

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[Any]], measures: Measures) -> Self:
        """Reads a checkpoint's; those of earlier releases hold a table of true by predicted."""
        loss = float(arrays[_LOSS])
        if _TALLY in arrays:
            return cls(measures, loss, arrays[_TALLY])
        table = arrays[_TABLE]
        return cls(
            measures, loss, np.stack([table.diagonal(), table.sum(axis=1), table.sum(axis=0)])
        )
