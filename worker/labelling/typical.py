"""Items that stand for many others and for none that is labelled.

Hacohen, Dekel & Weinshall, "Active learning on a budget: opposite strategies suit high and low
budgets" (TypiClust), ICML 2022, section 3.2: the features of all items, labelled or not, are
clustered into as many clusters as there will be labels; of the largest clusters without a label
the most typical item is taken, one of each. With few labels a network does not know yet what it is
in doubt of, and this needs no outputs.

Departures: the most typical item of a cluster is the one nearest to its mean, where the paper has
the smallest mean distance from its 20 nearest neighbours; of more than 3,000 items that many are
drawn to find the clusters' means, to which all items then belong by nearness.
"""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin_min

from worker.labelling.embeddings import Floats
from worker.labelling.spread import Drawn

MOST_CLUSTERS = 500  # as in the paper
CLUSTERED_ITEMS = 3000  # or ten times the clusters
ITERATIONS = 10


def most_typical(features: Floats, labelled: Floats, count: int, rng: np.random.Generator) -> Drawn:
    """Chooses `count` items, or as many as there are.

    Where clusters without a label run out, further rounds take the next typical items of each.

    Args:
        features: of the items without labels, (n, d).
        labelled: of those with one, (m, d).

    Returns:
        The items, of the largest cluster first; the share of an item is that of its cluster among
        the n, 0 of all but a cluster's first.
    """
    every = np.concatenate([features, labelled])
    wanted = min(count, len(features))
    clusters = min(len(labelled) + wanted, MOST_CLUSTERS, len(np.unique(every, axis=0)))
    size = max(CLUSTERED_ITEMS, 10 * clusters)
    drawn = rng.permutation(len(every))[:size] if len(every) > size else np.arange(len(every))
    means = KMeans(
        min(clusters, len(np.unique(every[drawn], axis=0))),
        n_init=1,
        max_iter=ITERATIONS,
        random_state=int(rng.integers(2**31)),
    ).fit(every[drawn])
    of, distances = pairwise_distances_argmin_min(every, means.cluster_centers_)
    taken = np.bincount(of[len(features) :], minlength=clusters)  # labels that a cluster has
    of, distances = of[: len(features)], distances[: len(features)]
    sizes = np.bincount(of, minlength=clusters)
    order = np.lexsort((distances, of))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    turn = np.empty(len(of), np.int64)  # an item's place in its cluster, the typical one's 0
    turn[order] = np.arange(len(of)) - starts[of[order]]
    chosen = np.lexsort((distances, -sizes[of], turn + taken[of]))[:wanted]
    shares = np.where(turn[chosen] == 0, sizes[of[chosen]] / len(of), 0.0)
    return Drawn(chosen.astype(np.int64), shares)
