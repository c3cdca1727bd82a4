"""Class weights: an item of a rare class counts for more.

Cui, Jia, Lin, Song & Belongie, "Class-balanced loss based on effective number of samples", CVPR
2019, arXiv:1901.05555, equations 2 and 9.

l_i = w_{y_i} l(z_i, y_i),   w_k ~ 1 / E_k,   mean_k w_k = 1,   E_k = (1 - b^{n_k}) / (1 - b)

n_k: training items of class k, E_k: their effective number, b = 0.9999; the mean is over the
classes that have some. In inference nothing is changed: the network has learnt as if rare classes
were commoner.
Departure: a class without training items counts as one item; its weight meets no item, and takes
nothing from the others'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, log
from typing import Self

import tensorflow as tf

from worker.objectives.contract import Objective
from worker.objectives.wrapped import Wrapped

B = 0.9999


@dataclass(frozen=True)
class ClassWeighted(Wrapped):
    """`weights`: one per class, the mean over those that have training items 1."""

    weights: tuple[float, ...]

    @classmethod
    def of(cls, inner: Objective, counts: Sequence[int]) -> Self:
        """`counts`: training items of each class, (K,)."""
        inverse = [1 / effective_number(max(1, count)) for count in counts]
        met = [each for each, count in zip(inverse, counts, strict=True) if count] or inverse
        return cls(inner, tuple(len(met) * each / sum(met) for each in inverse))

    def loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        weights = tf.gather(tf.constant(self.weights, outputs.dtype), y)
        return weights * self.inner.loss(outputs, y, smoothing)


def effective_number(items: int) -> float:
    """E of so many items: 1 of one, 1 / (1 - b) of infinitely many."""
    return -expm1(items * log(B)) / (1 - B)
