"""Labels of a classification's items that are likely wrong."""

from collections.abc import Callable

import numpy as np

from app.datasets.schemas import Schema
from worker.audit.confident_learning import Suspects, find_suspects
from worker.audit.features import Features, audit_features, components_of
from worker.audit.neighbours import NEIGHBOURS, neighbour_votes
from worker.training.data import Split
from worker.training.items import Items

NOBODY = Suspects(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float64))


FeaturesOf = Callable[[Items], Features]


def audited(schema: Schema, split: Split, features_of: FeaturesOf | None = None) -> Suspects:
    """Suspects among the split's items with labels, by their places in the split. Items without
    labels are no suspects and no witnesses.

    Args:
        features_of: a network's of raw items, (n, d), by which they are compared; None: as they
            are.
    """
    labelled = np.flatnonzero(split.known)
    if len(labelled) <= NEIGHBOURS:
        return NOBODY
    of = split.select(labelled)
    if features_of:
        seen = components_of(features_of(of.items))
    else:
        seen = audit_features(schema.inputs, of.items)
    votes = neighbour_votes(seen, of.y)
    found = find_suspects(votes, of.y, schema.task.outputs)
    return Suspects(labelled[found.items], found.proposed, found.scores)


def without_suspects(schema: Schema, split: Split) -> tuple[Split, int]:
    """The split without its suspects, and how many there were."""
    found = audited(schema, split)
    return split.select(np.setdiff1d(np.arange(len(split)), found.items)), len(found)
