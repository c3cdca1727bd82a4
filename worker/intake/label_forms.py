"""The forms in which labels may come: one an item, text or whole numbers. Others are refused with
what makes such labels of them."""

import numpy as np

from worker.intake.labels import CHUNK_ITEMS, NAN, check_text
from worker.intake.raw import Array, refuse


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
            "items out"
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
    ones = _ones_in_rows(labels) if labels.dtype.kind in "biuf" else None
    if ones is None:
        return f"; keep the column that is to be learnt: {name}[:, 0]"
    if ones == (1, 1):
        return f"; its rows are one-hot: {name}.argmax(axis=1) makes labels of them"
    return (
        f"; it is multi-label, rows with {ones[0]} to {ones[1]} ones, which is not supported yet: "
        f"upload one column at a time, {name}[:, 0] for the first, and learn of each item whether "
        "it has that label"
    )


def _ones_in_rows(labels: Array) -> tuple[int, int] | None:
    """The fewest and the most ones in a row; None where there is anything but 0 and 1."""
    fewest, most = labels.shape[1], 0
    for start in range(0, len(labels), CHUNK_ITEMS):
        chunk = labels[start : start + CHUNK_ITEMS]
        if not ((chunk == 0) | (chunk == 1)).all():
            return None
        ones = (chunk == 1).sum(axis=1)
        fewest, most = min(fewest, int(ones.min())), max(most, int(ones.max()))
    return fewest, most
