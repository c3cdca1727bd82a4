"""Training items without a label among labelled ones: kept beside them, for targets that are
labelled in part."""

import numpy as np

from worker.intake.splits import Rows
from worker.intake.targets.contract import Stored, TargetContract


def with_unlabelled(
    rows: Rows | None, y: Stored, others: Rows, target: TargetContract
) -> tuple[Rows | None, Stored]:
    """
    Args:
        rows: of the labelled training items, ascending; None: all there are.
        y: their stored labels, one for each.
        others: rows of items without a label, none of them in `rows`.

    Returns:
        All rows, ascending, and their labels, with what stands for none at `others`.
    """
    if rows is None or not len(others):
        return rows, y
    everything = np.sort(np.concatenate([rows, others]))
    labels = target.encode(None, len(everything), "train")
    labels[np.searchsorted(everything, rows)] = y
    return everything, labels
