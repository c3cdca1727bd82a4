"""Test items that belong together, as visits of one patient: what they say is said once."""

from collections.abc import Sequence

import numpy as np

from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.evidence import TrialResult

FEWEST_GROUPS = 20


def by_group(differences: Floats, groups: Ints) -> Floats:
    """Differences of G groups in place of I items: of m_s, a seed's mean,

        D'[s, g] = m_s + G/I sum_(i in g) (D[s, i] - m_s)

    Their mean over the groups is m_s, and their variance over G is the cluster-robust one of m_s
    (Liang & Zeger, Biometrika 73, 1986, doi:10.1093/biomet/73.1.13): what the items of a group
    share counts once, however many they are.

    Args:
        differences: D, (seeds, I).
        groups: of the items, (I,), equal for those that belong together.

    Returns:
        D', (seeds, G).
    """
    _, own, counts = np.unique(groups, return_inverse=True, return_counts=True)
    means = differences.mean(axis=1, keepdims=True)
    sums = np.stack([np.bincount(own, row, len(counts)) for row in differences - means])
    found: Floats = means + len(counts) / len(groups) * sums
    return found


def cluster_warnings(trials: Sequence[TrialResult]) -> list[str]:
    """A sentence where test items belong together."""
    groups = next((t.groups_test for t in trials if t.groups_test is not None), None)
    if groups is None or len(np.unique(groups)) == len(groups):
        return []
    items, count = len(groups), len(np.unique(groups))
    if count == 1:
        return [
            f"all {items} test items are of one group: what another one would give is not known, "
            "and intervals do not tell it"
        ]
    said = f"the {items} test items are of {count} groups, whose items are alike: the gains' "
    said += "intervals for other test items are for other groups"
    few = f"; with fewer than {FEWEST_GROUPS} they are rough" if count < FEWEST_GROUPS else ""
    return [said + few]
