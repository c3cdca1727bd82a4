"""The arrays that are stored of a trial: what the report is made of, and the archive holds."""

from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.measures.contract import Labels

HeldOut = Literal["validation", "test"]


class Predictions(TypedDict, total=False):
    """Arrays by their names in the file; worker.evaluation.evidence.TrialResult says what each
    is."""

    y_test: Labels
    logits_test: Floats
    y_validation: Labels
    logits_validation: Floats
    logits_changed: Floats
    y_source: Ints
    before_source: Ints
    after_source: Ints
    y_train: Labels
    logits_train: Floats
    logits_train_mode: Floats
    groups_test: Ints
    slice_codes: NDArray[np.int16]
    slice_values: NDArray[np.str_]
    slice_sizes: Ints
    suspects: Ints
    part_names: NDArray[np.str_]
    parts_missing: Ints
    logits_without: Floats
    logits_alone: Floats
    logits_unmoved: Floats
    rewritten: NDArray[np.float64]
    shared_items: Ints


ARRAYS = tuple(Predictions.__annotations__)


def held_out(name: HeldOut, y: Labels | None, outputs: Floats) -> Predictions:
    """Labels of a split, where it has some, and the outputs on its items."""
    if name == "validation":
        logits = Predictions(logits_validation=outputs)
        return logits if y is None else {"y_validation": y, **logits}
    logits = Predictions(logits_test=outputs)
    return logits if y is None else {"y_test": y, **logits}


def on(name: HeldOut, found: Predictions) -> tuple[Labels, Floats] | None:
    """Labels and outputs of a split that has labelled items."""
    if name == "validation":
        y, outputs = found.get("y_validation"), found.get("logits_validation")
    else:
        y, outputs = found.get("y_test"), found.get("logits_test")
    return (y, outputs) if y is not None and outputs is not None and len(y) else None
