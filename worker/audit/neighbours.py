"""Labels of an item's nearest neighbours, itself left out: an opinion that its own label
has no part in.

p_ij ~ sum over the 10 nearest neighbours a labelled j of exp(-d_ia² / mean_a d_ia²)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

NEIGHBOURS = 10
MOST_REFERENCES = 20_000  # of more items, so many are drawn to be neighbours
BLOCK_ITEMS = 4096
SEED = 0


@dataclass(frozen=True, eq=False)
class Votes:
    """`labels` (n, k), int32: of each item's neighbours, the nearest first; `shares` (n, k),
    float64: p of that label, so that a label which stands twice has the same share twice. `own`
    (n,): p of the item's own label."""

    labels: NDArray[np.int32]
    shares: NDArray[np.float64]
    own: NDArray[np.float64]


def neighbour_votes(features: NDArray[np.float32], y: NDArray[np.int32]) -> Votes:
    """Asks the neighbours of each item.

    Args:
        features: (n, d), n > 1.
        y: labels, (n,).
    """
    drawn = np.random.default_rng(SEED).permutation(len(y))[:MOST_REFERENCES]
    drawn.sort()
    k = min(NEIGHBOURS, len(drawn) - 1)
    nearest = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(features[drawn])
    labels, weights = [], []
    for start in range(0, len(y), BLOCK_ITEMS):
        block = features[start : start + BLOCK_ITEMS]
        distances, found = nearest.kneighbors(block)
        found = drawn[found]
        others = found != np.arange(start, start + len(block))[:, None]
        others[others.all(axis=1), -1] = False  # was not drawn, or has more twins than neighbours
        distances, found = (each[others].reshape(len(block), k) for each in (distances, found))
        labels.append(y[found])
        weights.append(_weights(distances.astype(np.float64)))
    of_labels = np.concatenate(labels)
    return _votes(of_labels, np.concatenate(weights), y)


def _weights(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """(block, k), each row's sum 1; of an item that all neighbours equal, all alike."""
    squares = distances**2
    scale = squares.mean(axis=1, keepdims=True)
    weights = np.exp(-np.divide(squares, scale, out=np.zeros_like(squares), where=scale > 0))
    found: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return found


def _votes(labels: NDArray[np.int32], weights: NDArray[np.float64], y: NDArray[np.int32]) -> Votes:
    shares = np.zeros_like(weights)
    for column in range(labels.shape[1]):
        shares += weights[:, [column]] * (labels == labels[:, [column]])
    own = (weights * (labels == y[:, None])).sum(axis=1)
    return Votes(labels, shares, own)
