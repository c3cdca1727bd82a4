"""Distance of two domains in a network's features."""

import numpy as np

from app.datasets.divergence import mmd_squared, proxy_a_distance
from worker.evaluation.arrays import Floats

ITEMS = 1000  # of a domain


def domain_distance(source: Floats, target: Floats, seed: int) -> dict[str, float | None]:
    """`proxy_a_distance`, 0 (alike) to 2 (apart), and `mmd`, the unbiased MMD² under an RBF kernel
    of the median width, 0 or a little less to 2. Features are first scaled to the joint sample's
    unit variance, so that none counts for its scale.

    Args:
        source, target: features, (m, d) and (n, d), finite. Of more than 1000 items of a domain,
            `seed` draws 1000.

    Returns:
        None for both where a domain has fewer than 2 items.

    References: see app.datasets.divergence.
    """
    random = np.random.default_rng(seed)
    drawn = [
        features[random.permutation(len(features))[:ITEMS]].astype(np.float64)
        for features in (source, target)
    ]
    spread = np.concatenate(drawn).std(axis=0)
    one, other = (features / np.where(spread > 0, spread, 1) for features in drawn)
    return {"proxy_a_distance": proxy_a_distance(one, other), "mmd": mmd_squared(one, other)}
