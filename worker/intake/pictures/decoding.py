"""Pictures -> memory-mapped arrays: headers first, then pixels, a few at a time."""

import os
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from threading import Lock

import numpy as np

from app.inputs.picture_files import UnreadablePicture
from app.inputs.pictures import Form, PictureHeader, look, pixels
from worker.intake.pictures.form import Seen
from worker.intake.pictures.layout import Picture
from worker.intake.pictures.parallel import for_each
from worker.intake.raw import Array

HEAD_BYTES = 2**15  # where nearly all headers end
LARGE_BYTES, LARGE_PIXELS = 2**24, 2**23  # such pictures are decoded one at a time

Reasons = dict[int, str]  # of pictures that cannot be read, by their place


@dataclass
class Headers:
    seen: Seen = field(default_factory=Seen)
    unreadable: Reasons = field(default_factory=dict)
    large: set[int] = field(default_factory=set)  # places of pictures that fill much memory

    def take_back(self, pictures: Sequence[Picture], places: Iterable[int]) -> None:
        """Takes back the counts of pictures that can be read no further than their headers."""
        for place in set(places) - self.unreadable.keys():
            self.seen.add(_look(pictures[place]), -1)


def look_at(pictures: Sequence[Picture]) -> Headers:
    """Reads headers alone."""
    headers, lock = Headers(), Lock()

    def work(place: int) -> None:
        try:
            found = _look(pictures[place])
        except UnreadablePicture as wrong:
            headers.unreadable[place] = wrong.reason
            return
        is_large = found.format != "JPEG" and found.height * found.width > LARGE_PIXELS
        with lock:
            headers.seen.add(found)
            if is_large or pictures[place].entry.bytes > LARGE_BYTES:
                headers.large.add(place)

    for_each(work, range(len(pictures)))
    return headers


def _look(picture: Picture) -> PictureHeader:
    entry = picture.entry
    if entry.bytes > HEAD_BYTES:
        try:
            return look(entry.read(HEAD_BYTES))
        except UnreadablePicture:
            pass  # some formats have their header elsewhere, or want the whole file
    return look(entry.read())


def decode(
    pictures: Sequence[Picture],
    headers: Headers,
    form: Form,
    folder: Path,
    leaves_out: bool = False,
) -> tuple[dict[str, Array], Reasons]:
    """Writes raw_x_train and raw_x_test, (items, height, width, channels), uint8, or float32 of a
    deep form, in the order of the pictures.

    Args:
        leaves_out: whether the others are kept where some cannot be read.

    Returns:
        The arrays by split, mapped, of those that can be read, and all that cannot: where there is
        one and none is to be left out, there are no arrays.
    """
    dtype = np.dtype(np.float32 if form.is_deep else np.uint8)
    shape = (form.height, form.width, form.channels)
    size = prod(shape, start=dtype.itemsize)
    starts, counts = {}, {}
    for split in ("train", "test"):
        places = [place for place, each in enumerate(pictures) if each.split == split]
        starts[split], counts[split] = min(places, default=0), len(places)
    targets = {split: folder / f"raw_x_{split}" for split in counts}
    unreadable, one_at_a_time = dict(headers.unreadable), Lock()
    files = {split: os.open(path, os.O_RDWR | os.O_CREAT) for split, path in targets.items()}

    def work(place: int) -> None:
        picture = pictures[place]
        try:
            with one_at_a_time if place in headers.large else nullcontext():
                found = pixels(picture.entry.read(), form)
        except UnreadablePicture as wrong:
            unreadable[place] = wrong.reason
            return
        _write(files[picture.split], found, (place - starts[picture.split]) * size)

    try:
        for_each(work, (each for each in range(len(pictures)) if each not in headers.unreadable))
        if unreadable and leaves_out:
            for split, file in files.items():
                gone = [
                    place - starts[split] for place in unreadable if pictures[place].split == split
                ]
                counts[split] -= _closed_up(file, sorted(gone), counts[split], size)
    finally:
        for file in files.values():
            os.close(file)
    if unreadable and not leaves_out:
        return {}, unreadable
    arrays: dict[str, Array] = {
        split: np.memmap(path, dtype, "r", shape=(counts[split], *shape))
        for split, path in targets.items()
        if counts[split]
    }
    return arrays, unreadable


def _write(file: int, values: Array, offset: int) -> None:
    left = values.data.cast("B")
    while left:
        written = os.pwrite(file, left, offset)
        left, offset = left[written:], offset + written


def _closed_up(file: int, gone: Sequence[int], items: int, size: int) -> int:
    """Moves the items of a file together where some are gone; returns how many these are."""
    left = set(gone)
    kept = gone[0] if gone else items
    for place in range(kept, items):
        if place not in left:
            os.pwrite(file, os.pread(file, size, place * size), kept * size)
            kept += 1
    os.ftruncate(file, kept * size)
    return len(gone)
