"""The forms in which labels may come: one per item, text or numbers, or a matrix of 0 and 1, a
column per label. Others are refused with what makes such labels of them."""

from collections.abc import Mapping

import numpy as np

from app.tasks import TaskKind
from worker.intake.labels import CHUNK_ITEMS, NAN, check_text
from worker.intake.raw import Array, refuse


def is_matrix(labels: Mapping[str, Array | None], said: TaskKind | None) -> bool:
    """Tells whether labels, by split, are to be read as a column per label: because the spec says
    so, or because one that says nothing comes with 0 and 1 alone, of which some rows hold several
    or none.

    Raises WorkFailure `dataset_invalid` for one-hot rows of which the spec does not say what they
    are.
    """
    if said:
        return said == "multi_label"
    matrices = {name: each for name, each in labels.items() if each is not None and each.ndim == 2}
    ones = [_ones_in_rows(each) for each in matrices.values()]
    found = [each for each in ones if each is not None]
    if not found or len(found) < len(ones):
        return False
    if all(each == (1, 1) for each in found):
        name = next(iter(matrices))
        detail = (
            f"expected labels of the shape (items,) in {name}, got "
            f"{matrices[name].shape}: its "
            f"rows are one-hot, with exactly one 1 each; {name}.argmax(axis=1) makes classes of "
            'them, and `task`: "multi_label" in the spec takes each column for a label of its own, '
            "of which an item may have several"
        )
        refuse("shape_mismatch", detail, name)
    return True


def flatten(labels: Array, name: str) -> Array:
    """Returns (items,), a type of numbers or strings. Raises WorkFailure `dataset_invalid`."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        detail = f"expected labels of the shape (items,) in {name}, got {labels.shape}"
        refuse("shape_mismatch", f"{detail}{_cure(labels, name)}", name)
    if labels.dtype.kind not in "biufUS":
        detail = f"expected labels that are integers or strings in {name}, got {labels.dtype}"
        refuse("wrong_type", detail, name)
    check_text(labels, name)
    return labels


def check_known(labels: Array, name: str) -> None:
    """Refuses NaN; anything else passes."""
    if labels.dtype.kind != "f":
        return
    missing = int(np.isnan(labels).sum())
    if missing:
        detail = (
            f"expected a label for every item, or no {name} at all, got {missing} of {len(labels)} "
            f'labels that are NaN in {name}; `missing_label`: "{NAN}" in the spec leaves those '
            "items without a label"
        )
        refuse("partly_labelled", detail, name)


def check_whole(labels: Array, name: str) -> None:
    """Refuses floats that are no whole numbers; anything else passes."""
    if labels.dtype.kind != "f":
        return
    fractions = ~np.isfinite(labels) | (labels != np.rint(labels))
    if count := int(fractions.sum()):
        detail = (
            f"expected labels that are whole numbers or strings in {name}, got {count} of "
            f"{len(labels)} that are neither, as {labels[fractions][0]:g}; {name}.astype(str) "
            "makes a class of each value, np.digitize(…) one of each range of a quantity, and "
            '`task`: "regression" in the spec learns the quantity itself'
        )
        refuse("wrong_type", detail, name)


def _cure(labels: Array, name: str) -> str:
    """What makes one label an item of rows of labels, where that can be told."""
    if labels.ndim != 2 or not labels.size:
        return ""
    ones = _ones_in_rows(labels)
    if ones is None:
        return (
            f"; keep the column that is to be learnt: {name}[:, 0]; several labels of an item are "
            "a matrix of 0 and 1 alone"
        )
    if ones == (1, 1):
        return f"; its rows are one-hot: {name}.argmax(axis=1) makes labels of them"
    return (
        f"; it is multi-label, rows with {ones[0]} to {ones[1]} ones: `task`: "
        '"multi_label" in the spec learns all its columns'
    )


def _ones_in_rows(labels: Array) -> tuple[int, int] | None:
    """The fewest and the most ones in a row; None where there is anything but 0 and 1, or less than
    two columns."""
    if labels.dtype.kind not in "biuf" or labels.shape[1] < 2 or not len(labels):
        return None
    fewest, most = labels.shape[1], 0
    for start in range(0, len(labels), CHUNK_ITEMS):
        chunk = labels[start : start + CHUNK_ITEMS]
        if not ((chunk == 0) | (chunk == 1)).all():
            return None
        ones = (chunk == 1).sum(axis=1)
        fewest, most = min(fewest, int(ones.min())), max(most, int(ones.max()))
    return fewest, most
