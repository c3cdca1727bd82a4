"""Logit adjustment: a rare class has to be told from a common one by a margin.

Menon, Jayasumana, Rawat, Jain, Veit & Kumar, "Long-tail learning via logit adjustment", ICLR 2021,
arXiv:2007.07314, equation 10.

l_i = l(z_i + tau log pi, y_i),   pi_k = n_k / n,   tau = 1

n_k: training items of class k. In inference z alone answers: as if all classes were equally
frequent, which is the best answer by balanced accuracy. The adjustment is never made twice.
Departure: a class without training items counts as one item, so that its logarithm is finite.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Self

import tensorflow as tf

from worker.objectives.contract import Objective
from worker.objectives.wrapped import Wrapped

TAU = 1.0


@dataclass(frozen=True)
class LogitAdjusted(Wrapped):
    """`offsets`: tau log pi, one per class."""

    offsets: tuple[float, ...]

    @classmethod
    def of(cls, inner: Objective, counts: Sequence[int]) -> Self:
        """`counts`: training items of each class, (K,)."""
        present = [max(1, count) for count in counts]
        return cls(inner, tuple(TAU * log(count / sum(present)) for count in present))

    def loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        adjusted = outputs + tf.constant(self.offsets, outputs.dtype)
        return self.inner.loss(adjusted, y, smoothing)
