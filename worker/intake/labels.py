"""Labels of any integer or string type -> int32 0..K-1, and the classes' names."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.intake.raw import Array, refuse

CLASS_LIMIT = 10_000
LABEL_CHARACTERS = 200
CHUNK_ITEMS = 2**20

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Classes:
    """What the training split holds."""

    values: Array  # (classes,), the raw labels, sorted
    names: tuple[str, ...]

    def encode(self, labels: Array, split: str) -> Labels:
        """Returns (items,), int32, each label's place among the classes."""
        if _text_kind(labels) != _text_kind(self.values):
            detail = f"expected labels of one type, got {self.values.dtype} and {labels.dtype}"
            refuse("wrong_type", detail, f"y_{split}")
        encoded = np.empty(len(labels), np.int32)
        for start in range(0, len(labels), CHUNK_ITEMS):
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


def find_classes(labels: Array, class_names: Array | None) -> Classes:
    """`labels`: those of the training split, flattened."""
    values = np.unique(np.concatenate([np.unique(chunk) for chunk in _chunks(labels)]))
    if len(values) < 2:
        only = _text(values[0], "y_train")
        detail = f"expected at least 2 classes, got only `{only}` in y_train"
        refuse("one_class", detail, "y_train")
    if len(values) > CLASS_LIMIT:
        detail = f"expected at most {CLASS_LIMIT} classes, got {len(values)} different labels"
        refuse("too_many_classes", detail, "y_train")
    if class_names is None:
        names = tuple(_text(value, "y_train") for value in values)
    else:
        names = _named(values, class_names)
    if len(set(names)) < len(names):
        array = "y_train" if class_names is None else "class_names"
        refuse("wrong_type", f"expected a name of its own for each class in {array}", array)
    return Classes(values, names)


def _named(values: Array, class_names: Array) -> tuple[str, ...]:
    if class_names.ndim != 1 or class_names.dtype.kind not in "US":
        detail = (
            "expected one row of strings in class_names, "
            f"got {class_names.dtype} of the shape {class_names.shape}"
        )
        refuse("wrong_type", detail, "class_names")
    if values.dtype.kind not in "biu":
        detail = "expected integers in y_train, as class_names are counted by them, got strings"
        refuse("wrong_type", detail, "y_train")
    low, high = int(values[0]), int(values[-1])
    if low < 0 or high >= len(class_names):
        detail = (
            f"expected labels from 0 to {len(class_names) - 1}, as there are {len(class_names)} "
            f"class_names, got labels from {low} to {high} in y_train"
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
