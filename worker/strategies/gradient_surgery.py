"""PCGrad: where two tasks' gradients point against each other, each loses what it has against the
other.

Yu et al., "Gradient surgery for multi-task learning", NeurIPS 2020, arXiv:2001.06782, algorithm 1.

g_i <- g_i - min(0, g_i . g_j) / |g_j|^2 g_j  for each other task j;  the step follows sum_i g_i

over the weights that the tasks share; a weight that one task alone reaches keeps its gradient.
Departure: the others are gone through in their order, not at random; with two tasks it is the same.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import tensorflow as tf

Gradients = Sequence[Any]  # tensors, one a variable; None: the task does not reach it


def project_conflicts(gradients: Sequence[Gradients]) -> list[tf.Tensor | None]:
    """Args:
    gradients: of each task, for the same variables in the same order.

    Returns:
        their sum after the projections, one a variable.
    """
    shared = [
        all(gradient is not None for gradient in of_variable)
        for of_variable in zip(*gradients, strict=True)
    ]

    def dot(one: Gradients, other: Gradients) -> tf.Tensor:
        pairs = zip(one, other, shared, strict=True)
        return tf.add_n([tf.constant(0.0), *(tf.reduce_sum(a * b) for a, b, both in pairs if both)])

    def project(own: Gradients, other: Gradients) -> Gradients:
        against = tf.math.divide_no_nan(tf.minimum(0.0, dot(own, other)), dot(other, other))
        triples = zip(own, other, shared, strict=True)
        return [a - against * b if both else a for a, b, both in triples]

    projected = []
    for i, gradient in enumerate(gradients):
        others = [other for j, other in enumerate(gradients) if j != i]
        projected.append(reduce(project, others, gradient))
    return [_sum(of_variable) for of_variable in zip(*projected, strict=True)]


def _sum(gradients: Gradients) -> tf.Tensor | None:
    reached = [gradient for gradient in gradients if gradient is not None]
    return tf.add_n(reached) if reached else None
