"""Labels that mean "no label": taken for none where the spec's `missing_label` says which they are,
suspected where it says nothing.

A suspicion is a refusal where the label can hardly be a class, with a way out in both directions,
and a warning where it may well be one.
"""

import json
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from app.datasets.near_names import number_in
from app.datasets.schemas import MissingLabel
from worker.intake.labels import NAN, count_of, has_text
from worker.intake.raw import Array, refuse

WORDS = {"nan", "none", "null", "na", "n/a", "<na>", "nat", "?", "-", "unknown", "missing"}
# What NaN becomes as an int32, an int64, a uint32 or a uint64; and -1 as a uint16, …32, …64.
CASTS = {
    *map(Decimal, (-(2**31), -(2**63), 2**31, 2**63)),
    *map(Decimal, (2**16 - 1, 2**32 - 1, 2**64 - 1, 2**63 - 1)),
}
MARKS = {Decimal(mark) for mark in (-1, -9, -99, -100, -999, -9999)}
BYTE_MARK = Decimal(255)  # -1 as a uint8


def without_missing(labels: Array, missing: MissingLabel, array: str) -> NDArray[np.intp] | None:
    """The rows, ascending, of items that have a label; None where that is all of them. Of a matrix
    a row has none where `missing` stands in all its columns."""
    if missing is None or missing == "auto":
        return None
    text = str(missing)
    if labels.dtype.kind == "f" and text.casefold() == NAN:
        text = NAN
    of_items = has_text(labels.reshape(-1), text, array).reshape(len(labels), -1)
    gone = np.asarray(of_items.all(axis=1), np.bool_)
    return np.flatnonzero(~gone) if gone.any() else None


def refuse_missing(texts: Sequence[str], labels: Array, array: str) -> None:
    """`texts`: those of the different labels. Raises WorkFailure `partly_labelled`."""
    numbers = _numbers(texts)
    for text in texts:
        if _is_surely_none(text, len(texts), numbers):
            count, said = count_of(labels, text, array), json.dumps(text, ensure_ascii=False)
            what = f"`{text}`, which often means none," if text.strip() else "empty ones"
            detail = (
                f"expected a label for every item, or no {array} at all, got {what} beside "
                f"{len(texts) - 1} others in {array}, on {count} of {len(labels)} items; in the "
                f"spec `missing_label`: {said} leaves those items without a label, and "
                "`missing_label`: null says that it is a class"
            )
            refuse("partly_labelled", detail, array)


def doubtful(texts: Sequence[str]) -> list[str]:
    """Labels that may mean none, and may be classes."""
    numbers = _numbers(texts)
    byte = BYTE_MARK in numbers and _stands_alone(BYTE_MARK, numbers) and len(numbers) > 2
    return [
        text
        for text in texts
        if text.strip().casefold() in WORDS or (byte and number_in(text) == BYTE_MARK)
    ]


def _is_surely_none(text: str, labels: int, numbers: set[Decimal]) -> bool:
    """Tells among so many different labels; `numbers`: those that are some."""
    if not text.strip():
        return True
    number = number_in(text)
    if number is None:  # a word beside numbers alone
        return text.strip().casefold() in WORDS and len(numbers) == labels - 1
    if number in CASTS:
        return _stands_alone(number, numbers)
    if number not in MARKS or labels < 3:
        return False
    is_only_negative = all(other >= 0 for other in numbers if other != number)
    is_mirrored = numbers == {-other for other in numbers}  # as in -1, 0, 1
    return is_only_negative and not is_mirrored


def _stands_alone(number: Decimal, numbers: set[Decimal]) -> bool:
    """Tells that a number has no neighbours, as classes that are counted through have them."""
    return not {number - 1, number + 1} & numbers


def _numbers(texts: Sequence[str]) -> set[Decimal]:
    return {number for text in texts if (number := number_in(text)) is not None}
