"""Labels of any type that is text or whole numbers -> int32 0..K-1, and the classes' names; -1
where there are none.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from app.datasets.near_names import number_in
from worker.intake.raw import NAME_CHARACTERS, Array, refuse

CLASS_LIMIT = 10_000
NAMES_CHARACTERS = 400_000  # of all classes together: they stand in every answer
CHUNK_ITEMS = 2**20
CHUNK_BYTES = 2**26  # of labels at once
LAST_CODE_POINT = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)
LOOKED_AT = 1_000  # labels, before all are compared
COMPARED = 16  # different labels; of more, a search is quicker than comparing all with each
SHOWN_CLASSES = 10
SHOWN_CHARACTERS = 40  # of each
NO_LABEL = -1
NAN = "nan"  # what a NaN among labels is called

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Classes:
    """Classes that the training split holds; the test split's where training has no labels."""

    texts: tuple[str, ...]  # of the labels, in the order of the classes
    names: tuple[str, ...]  # the same, or what class_names calls them

    def encode(self, labels: Array | None, items: int, split: str) -> Labels:
        """Returns (items,), int32, each label's place among the classes; -1 without labels.
        Labels are known by their text, whatever their type."""
        if labels is None:
            return np.full(items, NO_LABEL, np.int32)
        place = {text: number for number, text in enumerate(self.texts)}
        encoded = np.empty(items, np.int32)
        for start, chunk in _chunks(labels):
            values = _different(chunk)
            places = np.empty(len(values), np.int32)
            for number, value in enumerate(values):
                text = text_of(value, f"y_{split}")
                if text not in place:
                    self._refuse_unknown(text, f"y_{split}")
                places[number] = place[text]
            encoded[start : start + len(chunk)] = _placed(chunk, values, places)
        return encoded

    def _refuse_unknown(self, text: str, array: str) -> NoReturn:
        more = ", …" if len(self.texts) > SHOWN_CLASSES else ""
        known = ", ".join(f"`{name[:SHOWN_CHARACTERS]}`" for name in self.texts[:SHOWN_CLASSES])
        number, said = number_in(text), json.dumps(text, ensure_ascii=False)
        detail = (
            f"expected only labels that the training split has too ({known}{more}), "
            f"got `{text}` in {array}"
        )
        if not text.strip() or (number is not None and number < 0):
            detail += (
                f"; where it means none, `missing_label`: {said} leaves those items without one"
            )
        refuse("unknown_class", detail, array)


def _different(labels: Array) -> Array:
    """Ascending. Text is sorted only where it is not among few words that stand first."""
    if labels.dtype.kind not in "US":
        return np.unique(labels)
    words = np.unique(labels[:LOOKED_AT])
    if len(words) > COMPARED:
        return np.unique(labels)
    is_known = np.zeros(len(labels), np.bool)
    for word in words:
        is_known |= labels == word
    return np.unique(np.concatenate([words, labels[~is_known]]))


def _placed(labels: Array, values: Array, places: Labels) -> Labels:
    """(items,), int32, `places` of labels that are all among `values`, which ascend."""
    if len(values) > COMPARED or labels.dtype.kind not in "US":
        return places[np.searchsorted(values, labels)]
    found = np.empty(len(labels), np.int32)
    for value, place in zip(values, places, strict=True):
        found[labels == value] = place
    return found


def find_classes(labels: Mapping[str, Array | None], class_names: Array | None) -> Classes:
    """`labels` by split: (items,), text or whole numbers. The classes are the first labelled
    split's; none without. Raises WorkFailure `dataset_invalid`."""
    for split, held in labels.items():
        if held is not None:
            return _classes_in(held, class_names, f"y_{split}")
    return Classes((), ())


def _classes_in(labels: Array, class_names: Array | None, array: str) -> Classes:
    values = _values_in(labels, array)
    if len(values) < 2:
        only = text_of(values[0], array)
        detail = (
            f"expected at least 2 classes, got only `{only}` in {array}; leave {array} out where "
            "there are no labels"
        )
        refuse("one_class", detail, array)
    texts = _in_order([text_of(value, array) for value in values])
    names = texts if class_names is None else _named(values, class_names, array)
    check_distinct(names, array if class_names is None else "class_names")
    return Classes(texts, names)


def check_distinct(names: tuple[str, ...], array: str) -> None:
    """Refuses names that are too long together, and equal ones."""
    if (length := sum(map(len, names))) > NAMES_CHARACTERS:
        detail = (
            f"expected names of classes of at most {NAMES_CHARACTERS} characters together, got "
            f"{length} for {len(names)} classes"
        )
        refuse("name_too_long", detail, array)
    if len(set(names)) < len(names):
        refuse("wrong_type", f"expected a name of its own for each class in {array}", array)


def _values_in(labels: Array, array: str) -> Array:
    """The different ones, ascending. Never many more than there may be are in memory."""
    values = np.unique(labels[:0])
    for _, chunk in _chunks(labels):
        values = np.unique(np.concatenate([values, _different(chunk)]))
        if len(values) > CLASS_LIMIT:
            detail = (
                f"expected at most {CLASS_LIMIT} classes, got at least {len(values)} different "
                f"labels in {array}"
            )
            refuse("too_many_classes", detail, array)
    return values


def check_text(labels: Array, array: str) -> None:
    """Refuses text of which Python could not make a string: NumPy stores any number as a character.
    Other types pass. Raises WorkFailure `dataset_invalid`."""
    if labels.dtype.kind not in "US":
        return
    width = labels.dtype.itemsize // (4 if labels.dtype.kind == "U" else 1)
    if width > NAME_CHARACTERS:
        detail = f"expected labels of at most {NAME_CHARACTERS} characters in {array}, got {width}"
        refuse("wrong_type", detail, array)
    if labels.dtype.kind == "S" or not width:
        return
    for start, chunk in _chunks(labels):
        codes = np.ascontiguousarray(chunk).view(f"{chunk.dtype.byteorder}u4")
        low, high = SURROGATES
        bad = (codes > LAST_CODE_POINT) | ((codes >= low) & (codes <= high))
        if bad.any():
            item, code = start + int(bad.argmax()) // width, int(codes[bad][0])
            detail = (
                f"expected labels that are text in {array}, got the code {code:#x} in item {item}, "
                "which is no character of Unicode"
            )
            refuse("wrong_type", detail, array)


def _in_order(texts: list[str]) -> tuple[str, ...]:
    """Numbers in the order of numbers, also where they are text; other text stays as it is."""
    numbers = {text: number for text in texts if (number := number_in(text)) is not None}
    if len(numbers) < len(texts):
        return tuple(texts)
    return tuple(sorted(texts, key=lambda text: (numbers[text], text)))


def check_names(class_names: Array) -> None:
    """Refuses anything but one row of text."""
    if class_names.ndim != 1 or class_names.dtype.kind not in "US":
        detail = (
            "expected one row of strings in class_names, "
            f"got {class_names.dtype} of the shape {class_names.shape}"
        )
        refuse("wrong_type", detail, "class_names")
    check_text(class_names, "class_names")


def _named(values: Array, class_names: Array, array: str) -> tuple[str, ...]:
    check_names(class_names)
    if values.dtype.kind not in "biuf":
        detail = (
            f"expected integers in {array}, as class_names are counted by them, got strings; "
            "strings are names already: leave class_names out"
        )
        refuse("wrong_type", detail, array)
    low, high = int(values[0]), int(values[-1])
    if low < 0 or high >= len(class_names):
        detail = (
            f"expected labels from 0 to {len(class_names) - 1}, as there are {len(class_names)} "
            f"class_names, got labels from {low} to {high} in {array}"
        )
        refuse("shape_mismatch", detail, "class_names")
    return tuple(text_of(class_names[int(value)], "class_names") for value in values)


def text_of(label: object, array: str) -> str:
    """A name that any database and any JSON can hold; of a whole float that of the integer."""
    if isinstance(label, np.floating):
        return NAN if np.isnan(label) else str(int(label)) if label.is_integer() else str(label)
    try:
        text = label.decode() if isinstance(label, bytes) else str(label)
        text.encode()
    except ValueError:  # bytes that are no UTF-8, code points that do not exist
        refuse("wrong_type", f"expected labels that are text in {array}, got other bytes", array)
    if "\0" in text:
        refuse("wrong_type", f"expected labels without NUL characters in {array}", array)
    return text


def count_of(labels: Array, text: str, array: str) -> int:
    """Items whose label has that text."""
    return sum(int(has_text(chunk, text, array).sum()) for _, chunk in _chunks(labels))


def has_text(labels: Array, text: str, array: str) -> NDArray[np.bool]:
    """(items,), whether each label has that text."""
    values, inverse = np.unique(labels, return_inverse=True)
    wanted = np.array([text_of(value, array) == text for value in values], np.bool)
    found: NDArray[np.bool] = wanted[inverse]
    return found


def _chunks(labels: Array) -> Iterator[tuple[int, Array]]:
    step = max(1, min(CHUNK_ITEMS, CHUNK_BYTES // max(1, labels.dtype.itemsize)))
    for start in range(0, len(labels), step):
        yield start, labels[start : start + step]
