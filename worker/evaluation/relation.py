"""Doubts that a source's classes have anything to do with a target's."""

import numpy as np

from app.spec.relation import Relation
from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.closed_form_scores import leep

PERMUTATIONS = 99
ITEMS = 2000  # of more it draws these: LEEP and its chance are of the same items


def relation(probabilities: Floats, y: Ints, seed: int) -> Relation | None:
    """LEEP over what the target's class frequencies tell, held against its own distribution where
    there is no relation: the labels permuted among the same items. A bound for any source will not
    do: with few items LEEP is optimistic, and the more so the surer the source's outputs are.

    Args:
        probabilities: of the source's classes, (n, Z).
        y: the target's labels, (n,).
        seed: draws items and permutations.

    Returns:
        None where fewer than 2 classes occur, or a probability is not finite.
    """
    random = np.random.default_rng(seed)
    rows = random.permutation(len(y))[:ITEMS]
    probabilities, y = probabilities[rows], y[rows]
    shares = np.unique(y, return_counts=True)[1] / max(len(y), 1)
    if len(shares) < 2 or not np.isfinite(probabilities).all():
        return None
    entropy = -float((shares * np.log(shares)).sum())
    found = leep(probabilities, y)
    by_chance = np.array([leep(probabilities, random.permutation(y)) for _ in range(PERMUTATIONS)])
    # Outputs that are all alike tell the same of any permutation, but for the last bits.
    as_much = int((by_chance >= found - 1e-12).sum())
    return Relation(
        told=found + entropy,
        by_chance=float(by_chance.mean()) + entropy,
        spread=float(by_chance.std()),
        p_value=(1 + as_much) / (1 + PERMUTATIONS),
        entropy=entropy,
    )
