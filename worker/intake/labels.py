"""Labels of any integer or string type -> int32 0..K-1, and the classes' names; -1 where there are
none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.intake.raw import Array, refuse

CLASS_LIMIT = 10_000
LABEL_CHARACTERS = 200
CHUNK_ITEMS = 2**20
NO_LABEL = -1

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Classes:
    """What the training split holds; the test split's where training has no labels."""

    values: Array  # (classes,), the raw labels, sorted
    names: tuple[str, ...]

    def encode(self, labels: Array | None, items: int, split: str) -> Labels:
        """Returns (items,), int32, each label's place among the classes; -1 without labels."""
        if labels is None:
            return np.full(items, NO_LABEL, np.int32)
        if _text_kind(labels) != _text_kind(self.values):
            detail = f"expected labels of one type, got {self.values.dtype} and {labels.dtype}"
            refuse("wrong_type", detail, f"y_{split}")
        encoded = np.empty(items, np.int32)
        for start in range(0, items, CHUNK_ITEMS):
            chunk = labels[start : start + CHUNK_ITEMS]
            places = np.searchsorted(self.values, chunk)
            places[places == len(self.values)] = 0
            unknown = self.values[places] != chunk
            if unknown.any():
                label = _text(chunk[unknown][0], f"y_{split}")
                detail = (
                    f"expected only labels that the training split has too, got `{label}` in "
                    f"y_{split}"
                )
                refuse("unknown_class", detail, f"y_{split}")
            encoded[start : start + CHUNK_ITEMS] = places
        return encoded


def flatten(labels: Array, name: str) -> Array:
    """Returns (items,), a type of integers or strings."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        hint = ""
        if labels.ndim == 2:
            hint = "; one-hot labels become such by argmax over their last axis"
        detail = f"expected labels of the shape (items,) in {name}, got {labels.shape}{hint}"
        refuse("shape_mismatch", detail, name)
    if labels.dtype.kind not in "biuUS":
        detail = f"expected labels that are integers or strings in {name}, got {labels.dtype}"
        refuse("wrong_type", detail, name)
    width = labels.dtype.itemsize // (4 if labels.dtype.kind == "U" else 1)
    if width > LABEL_CHARACTERS:
        detail = f"expected labels of at most {LABEL_CHARACTERS} characters in {name}, got {width}"
        refuse("wrong_type", detail, name)
    return labels


def find_classes(labels: Mapping[str, Array | None], class_names: Array | None) -> Classes:
    """`labels` by split, flattened. The classes are the first labelled split's; none without."""
    for split, held in labels.items():
        if held is not None:
            return _classes_in(held, class_names, f"y_{split}")
    return Classes(np.empty(0, np.int32), ())


def _classes_in(labels: Array, class_names: Array | None, array: str) -> Classes:
    values = np.unique(np.concatenate([np.unique(chunk) for chunk in _chunks(labels)]))
    if len(values) < 2:
        only = _text(values[0], array)
        detail = (
            f"expected at least 2 classes, got only `{only}` in {array}; leave {array} out where "
            "there are no labels"
        )
        refuse("one_class", detail, array)
    if len(values) > CLASS_LIMIT:
        detail = f"expected at most {CLASS_LIMIT} classes, got {len(values)} different labels"
        refuse("too_many_classes", detail, array)
    _check_all_labelled(values, array)
    if class_names is None:
        names = tuple(_text(value, array) for value in values)
    else:
        names = _named(values, class_names, array)
    if len(set(names)) < len(names):
        named = array if class_names is None else "class_names"
        refuse("wrong_type", f"expected a name of its own for each class in {named}", named)
    return Classes(values, names)


def _check_all_labelled(values: Array, array: str) -> None:
    """-1 beside one other label is a class, as in -1 and 1; beside more it means "no label"."""
    if _text_kind(values):
        missing = "empty ones" if not values[0] else None  # "" is the first in order
    else:
        missing = f"`{NO_LABEL}`" if len(values) > 2 and NO_LABEL in values.tolist() else None
    if missing:
        detail = (
            f"expected a label for every item, or no {array} at all, got {missing} beside "
            f"{len(values) - 1} others in {array}"
        )
        refuse("partly_labelled", detail, array)


def _named(values: Array, class_names: Array, array: str) -> tuple[str, ...]:
    if class_names.ndim != 1 or class_names.dtype.kind not in "US":
        detail = (
            "expected one row of strings in class_names, "
            f"got {class_names.dtype} of the shape {class_names.shape}"
        )
        refuse("wrong_type", detail, "class_names")
    if values.dtype.kind not in "biu":
        detail = f"expected integers in {array}, as class_names are counted by them, got strings"
        refuse("wrong_type", detail, array)
    low, high = int(values[0]), int(values[-1])
    if low < 0 or high >= len(class_names):
        detail = (
            f"expected labels from 0 to {len(class_names) - 1}, as there are {len(class_names)} "
            f"class_names, got labels from {low} to {high} in {array}"
        )
        refuse("shape_mismatch", detail, "class_names")
    return tuple(_text(class_names[int(value)], "class_names") for value in values)


def _text(label: object, array: str) -> str:
    """A name that any database and any JSON can hold."""
    try:
        text = label.decode() if isinstance(label, bytes) else str(label)
        text.encode()
    except ValueError:  # bytes that are no UTF-8, code points that do not exist
        refuse("wrong_type", f"expected labels that are text in {array}, got other bytes", array)
    if "\0" in text:
        refuse("wrong_type", f"expected labels without NUL characters in {array}", array)
    return text


def _text_kind(labels: Array) -> str:
    """The kind of text, or nothing for integers."""
    return labels.dtype.kind if labels.dtype.kind in "US" else ""


def _chunks(labels: Array) -> Iterator[Array]:
    for start in range(0, len(labels), CHUNK_ITEMS):
        yield labels[start : start + CHUNK_ITEMS]
