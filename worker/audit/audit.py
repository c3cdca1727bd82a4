"""Labels of a classification's items that are likely wrong."""

import numpy as np

from app.datasets.schemas import Schema
from worker.audit.confident_learning import Suspects, find_suspects
from worker.audit.features import audit_features
from worker.audit.neighbours import NEIGHBOURS, neighbour_votes
from worker.training.data import Split

NOBODY = Suspects(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float64))


def audited(schema: Schema, split: Split) -> Suspects:
    """Suspects among the split's items with labels, by their places in the split. Items without
    labels are no suspects and no witnesses."""
    labelled = np.flatnonzero(split.known)
    if len(labelled) <= NEIGHBOURS:
        return NOBODY
    of = split.select(labelled)
    votes = neighbour_votes(audit_features(schema.inputs, of.items), of.y)
    found = find_suspects(votes, of.y, schema.task.outputs)
    return Suspects(labelled[found.items], found.proposed, found.scores)


def without_suspects(schema: Schema, split: Split) -> tuple[Split, int]:
    """The split without its suspects, and how many there were."""
    found = audited(schema, split)
    return split.select(np.setdiff1d(np.arange(len(split)), found.items)), len(found)
