"""Items that are far from what is known and from one another: k-means++'s seeding.

Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007: each next item is
drawn with a probability of D², its squared distance from the nearest one before it. Long vectors
and those far from others are likely; neither alike nor merely long ones fill the list.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.labelling.embeddings import Embeddings, Floats


@dataclass(frozen=True, eq=False)
class Drawn:
    """`items` (k,), int64: their places, in the order in which they were drawn. `shares` (k,),
    float64: by how much each has lowered Σ D², as a share of what it was at first; 0..1."""

    items: NDArray[np.int64]
    shares: Floats


def draw(vectors: Embeddings, known: Floats, count: int, rng: np.random.Generator) -> Drawn:
    """Draws `count` items, or as many as there are.

    Items that equal one drawn before (all D² are 0) come last, in random order.

    Args:
        known: D² of each item from what is known already, (n,), finite.
    """
    squares, nearest = vectors.squares, known.astype(np.float64)
    first = float(nearest.sum())
    left = np.ones(len(vectors), np.bool_)
    items, shares = list[int](), list[float]()
    for _ in range(min(count, len(vectors))):
        total = float(nearest.sum())
        weights = nearest / total if total > 0 else left / left.sum()
        item = int(rng.choice(len(vectors), p=weights))
        nearest = np.minimum(nearest, vectors.distances(squares, item))
        nearest[item], left[item] = 0.0, False
        items.append(item)
        shares.append((total - float(nearest.sum())) / first if first > 0 else 0.0)
    return Drawn(np.array(items, np.int64), np.array(shares))


def from_nearest(vectors: Embeddings, others: Floats) -> Floats:
    """||h_i - nearest of the others||², (n,), by features. `others`: features (m, d), m > 0."""
    nearest = np.full(len(vectors), np.inf)
    squares = (vectors.features**2).sum(axis=1)
    for other in others:
        to_it = squares + other @ other - 2 * vectors.features @ other
        nearest = np.minimum(nearest, to_it)
    found: Floats = np.maximum(nearest, 0.0)
    return found
