"""Labels of a target's training items that a trial sees."""

import numpy as np

from app.datasets.schemas import Schema
from worker.evaluation.measures import measures_of
from worker.training.data import Split, few_items, few_labels
from worker.training.items import Indices


def within_budget(schema: Schema, split: Split, budget: int | None, seed: int) -> Indices:
    """Places, sorted, of the items with a label that a label budget leaves, as the task counts it;
    None: all that have one."""
    known = np.flatnonzero(split.known)
    if budget is None:
        return known
    strata = measures_of(schema.task).strata(split.y[known], seed)
    choose = few_labels if schema.task.budget == "labels_per_class" else few_items
    return known[choose(strata, budget, seed)]
