"""Items of the target that stand among a source's training items: how many, by their content."""

import numpy as np
from numpy.typing import NDArray

from app.storage import Storage
from app.tensors import Tensors
from worker.evaluation.arrays import Ints
from worker.training.items import Items
from worker.trials.trial_data import TrialData

BLOCK_ITEMS = 4096
Hashes = NDArray[np.int64]


def shared_items(storage: Storage, data: TrialData, test: Items) -> Ints | None:
    """Looks for the target's test and training items in the sources of a trial; no label is looked
    at.

    Returns:
        (sources, 7), as worker.evaluation.evidence.TrialResult has it, of the sources that are
        datasets with items of the target's shape; None where there are none, and but for an arm's
        first seed on the job's own budget, since it is the same for all.
    """
    trial = data.trial
    is_first = trial.seed == data.spec.seed and trial.labels_per_class == data.spec.target.budget
    if trial.role != "transfer" or not is_first:
        return None
    found = []
    train: Hashes | None = None
    for index, place in enumerate(data.places):
        source = data.stored_split_of(storage, index, "train").items
        if source.specs != test.specs:
            continue
        if train is None:
            train = hashes_of(data.target_split(storage, "train").items)
        theirs, own = hashes_of(source), hashes_of(test)
        different, times = np.unique(theirs, return_counts=True)
        counts = [
            *(int(np.isin(own, different).sum()), len(own)),
            *(int(np.isin(train, different).sum()), len(train)),
            *(int(times[times > 1].sum()), len(theirs)),
        ]
        found.append([place, *counts])
    return np.array(found, np.int64) if found else None


def hashes_of(items: Items) -> Hashes:
    """Hashes of items, (n,): equal for equal ones, in this process alone."""
    return np.array(
        [each for block in items.blocks(BLOCK_ITEMS) for each in _hashes(block.read())], np.int64
    )


def _hashes(columns: Tensors) -> list[int]:
    rows = [np.ascontiguousarray(column).reshape(len(column), -1) for column in columns.values()]
    whole = np.concatenate([row.view(np.uint8) for row in rows if row.size], axis=1)
    return [hash(row.tobytes()) for row in whole]
