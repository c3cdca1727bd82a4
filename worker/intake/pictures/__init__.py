"""Pictures: .zip, .tar and .tar.gz of them by the imagefolder convention, or loose files."""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import DatasetSpec, Split
from app.inputs.picture_files import UnreadablePicture
from app.inputs.pictures import Form, look
from worker.intake.item_columns import ItemColumns
from worker.intake.joined import archive
from worker.intake.joined.upload import JoinedUpload
from worker.intake.pictures.archives import DIRECTORY_BYTES, is_tar, is_zip, opened
from worker.intake.pictures.columns import beside_of, split_by_columns
from worker.intake.pictures.decoding import HEAD_BYTES, decode, look_at
from worker.intake.pictures.findings import findings_of
from worker.intake.pictures.folder_labels import label_array
from worker.intake.pictures.form import decide
from worker.intake.pictures.layout import ArchiveLayout, laid_out
from worker.intake.pictures.texts import TextFiles, are_texts, read_texts
from worker.intake.pictures.unreadable import left_out, refuse_unreadable
from worker.intake.raw import Array, IntakeLimits, RawArrays, RawFile, refuse
from worker.intake.sizes import SETTING
from worker.machine.capped_file import CappedFile

name = "pictures"

SPREADSHEETS = (".xlsx", ".xlsm", ".ods")
LOOKED_AT = 10_000  # members of a zip that may be arrays
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")


def recognises(files: Sequence[RawFile]) -> bool:
    """Recognises pictures: of several files one is enough: the others are named if they are no
    pictures."""
    return any(_is_archive(file) or _is_picture(file) for file in files)


def _is_archive(file: RawFile) -> bool:
    if is_zip(file):
        return not _holds_arrays(file)
    return file.name.lower().endswith(ENDINGS) or is_tar(file)


def _holds_arrays(file: RawFile) -> bool:
    """Tells whether a zip is NumPy's: by its members, or by its ending where they cannot be read,
    or are more than arrays ever are."""
    if file.name.lower().endswith(".npz"):
        return True
    try:
        with (
            CappedFile(file.path, DIRECTORY_BYTES, LOOKED_AT) as stream,
            ZipFile(stream) as archive,
        ):
            names = archive.namelist()
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)


def _is_picture(file: RawFile) -> bool:
    try:
        with file.path.open("rb") as stream:
            start = stream.read(HEAD_BYTES)
        look(start)
    except UnreadablePicture:
        return False
    return True


def read(
    files: Sequence[RawFile], spec: DatasetSpec, limits: IntakeLimits, workdir: Path
) -> RawArrays | TextFiles | JoinedUpload:
    """Decodes into `workdir`; archives of texts are a table of these.

    Raises:
        WorkFailure: `dataset_invalid`, whatever the bytes are.
    """
    for file in files:
        if file.name.lower().endswith(SPREADSHEETS):  # a zip too
            detail = (
                f"expected pictures or a table, got `{file.name}`: save it as CSV and upload that"
            )
            refuse("unknown_format", detail, file.name)
    leaves_out = spec.unreadable == "leave_out"
    with opened(files, limits, workdir) as archives:
        if archive.is_asked(spec):
            return archive.read(archives, spec, limits, workdir)
        if are_texts(archives, spec):
            return read_texts(archives, spec, limits, workdir)
        layout = laid_out(archives, spec, limits, workdir)
        _check_items(len(layout.pictures), limits)
        cut = split_by_columns(layout, spec, limits, workdir)
        pictures = layout.pictures
        headers = look_at(pictures)
        if not headers.seen.pictures:
            refuse_unreadable(pictures, headers.unreadable)
        decided = decide(headers.seen, spec.image_size)
        _check_bytes(decided.form, len(pictures), limits)
        arrays, unreadable = decode(pictures, headers, decided.form, workdir, leaves_out)
        layout.pictures = [each for place, each in enumerate(pictures) if place not in unreadable]
        left = {each.split for each in layout.pictures}
        if unreadable and not (leaves_out and left == {each.split for each in pictures}):
            refuse_unreadable(pictures, unreadable)
        headers.take_back(pictures, unreadable)
    beside = beside_of(layout, cut, spec, limits, workdir)
    labels = _by_split(layout, beside)
    return RawArrays(
        arrays["train"],
        labels["train"][0],
        arrays.get("test"),
        labels["test"][0],
        class_names=None if beside is None else beside.labels.names,
        pictures=findings_of(layout, headers.seen, decided, left_out(pictures, unreadable)),
        known={split: known for split, (_, known) in labels.items()},
        beside=beside,
    )


def _by_split(
    layout: ArchiveLayout, beside: ItemColumns | None
) -> dict[Split, tuple[Array | None, NDArray[np.bool]]]:
    """Labels, and whether each picture has one. A split in which none has one has none."""
    if beside is None or layout.label_columns is None:
        held, known = label_array([each.label for each in layout.pictures])
    elif beside.labels.values is None:
        held, known = label_array([None] * len(layout.pictures))
    else:
        held, known = beside.labels.values, beside.labels.known
    in_test = np.array([each.split == "test" for each in layout.pictures])
    sides: dict[Split, NDArray[np.bool]] = {"train": ~in_test, "test": in_test}
    return {
        split: (held[side] if known[side].any() else None, known[side])
        for split, side in sides.items()
    }


def _check_items(pictures: int, limits: IntakeLimits) -> None:
    if pictures > limits.items:
        detail = f"expected at most {limits.items} pictures, got {pictures}"
        refuse("too_many_items", detail)


def _check_bytes(form: Form, pictures: int, limits: IntakeLimits) -> None:
    """Checks bytes before anything is decoded."""
    size = pictures * prod((form.height, form.width, form.channels, 4 if form.is_deep else 1))
    if size > limits.bytes:
        detail = (
            f"expected at most {limits.bytes} bytes as the dataset is stored, got {size}: "
            f"{pictures} pictures of {form.height} x {form.width} with {form.channels} channels. A "
            f"smaller `image_size` in the spec takes less, or raise {SETTING} where the service "
            "runs"
        )
        refuse("too_large", detail)
