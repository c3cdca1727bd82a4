"""What an epoch has added up so far."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.evaluation.metrics import confusion


@dataclass
class Sums:
    loss: float  # of the steps' mean losses
    confusion: NDArray[np.int64]  # (classes, classes): true by predicted

    @classmethod
    def zero(cls, classes: int) -> "Sums":
        return cls(0.0, np.zeros((classes, classes), np.int64))

    def add(
        self, losses: NDArray[np.float32], labels: NDArray[np.int32], predicted: NDArray[np.int32]
    ) -> None:
        """losses (steps,); labels and predicted (steps, batch), labels -1 where there are none. One
        by one: however the steps are cut into chunks, the sum has the same bits."""
        for loss in losses.tolist():
            self.loss += loss
        known = labels >= 0
        self.confusion = self.confusion + confusion(
            labels[known], predicted[known], len(self.confusion)
        )
