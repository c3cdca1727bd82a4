"""Pictures: .zip, .tar and .tar.gz of them by the imagefolder convention, or loose files."""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from app.datasets.schemas import Split
from app.errors import Finding
from app.inputs.picture_files import UnreadablePicture
from app.inputs.pictures import Form, look
from worker.intake.capped_file import CappedFile
from worker.intake.pictures.archives import DIRECTORY_BYTES, is_tar, is_zip, opened
from worker.intake.pictures.decoding import HEAD_BYTES, Reasons, decode, look_at
from worker.intake.pictures.findings import findings_of
from worker.intake.pictures.form import decide
from worker.intake.pictures.layout import Layout, Picture, laid_out
from worker.intake.pictures.metadata import label_array
from worker.intake.pictures.names import spoken
from worker.intake.raw import Array, Limits, RawArrays, RawFile, pointer_to, refuse
from worker.intake.sizes import SETTING

name = "pictures"

MOST_NAMED = 100  # unreadable files in one answer
IN_SENTENCE = 5  # of them
SPREADSHEETS = (".xlsx", ".xlsm", ".ods")
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")


def recognises(files: Sequence[RawFile]) -> bool:
    """Of several files one is enough: the others are named if they are no pictures."""
    return any(_is_archive(file) or _is_picture(file) for file in files)


def _is_archive(file: RawFile) -> bool:
    if is_zip(file):
        return not _holds_arrays(file)
    return file.name.lower().endswith(ENDINGS) or is_tar(file)


def _holds_arrays(file: RawFile) -> bool:
    """Whether a zip is NumPy's: by its members, or by its ending where they cannot be read."""
    if file.name.lower().endswith(".npz"):
        return True
    try:
        with CappedFile(file.path, DIRECTORY_BYTES) as stream, ZipFile(stream) as archive:
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
    files: Sequence[RawFile], image_size: tuple[int, int] | None, limits: Limits, workdir: Path
) -> RawArrays:
    """Decodes into `workdir`.

    Args:
        image_size: (height, width), by the spec; None: by the pictures.

    Raises:
        WorkFailure: `dataset_invalid`, whatever the bytes are.
    """
    for file in files:
        if file.name.lower().endswith(SPREADSHEETS):  # a zip too
            detail = (
                f"expected pictures or a table, got `{file.name}`: save it as CSV and upload that"
            )
            refuse("unknown_format", detail, file.name)
    with opened(files, limits, workdir) as archives:
        layout = laid_out(archives)
        _check_items(len(layout.pictures), limits)
        headers = look_at(layout.pictures)
        if not headers.seen.pictures:
            _refuse_unreadable(layout.pictures, headers.unreadable)
        decided = decide(headers.seen, image_size)
        _check_bytes(decided.form, len(layout.pictures), limits)
        arrays, unreadable = decode(layout.pictures, headers, decided.form, workdir)
        if unreadable:
            _refuse_unreadable(layout.pictures, unreadable)
    return RawArrays(
        arrays["train"],
        _labels(layout, "train"),
        arrays.get("test"),
        _labels(layout, "test"),
        pictures=findings_of(layout, headers.seen, decided),
    )


def _labels(layout: Layout, split: Split) -> Array | None:
    held = [each.label for each in layout.pictures if each.split == split]
    return label_array(held) if any(label is not None for label in held) else None


def _check_items(pictures: int, limits: Limits) -> None:
    if pictures > limits.items:
        detail = f"expected at most {limits.items} pictures, got {pictures}"
        refuse("too_many_items", detail)


def _check_bytes(form: Form, pictures: int, limits: Limits) -> None:
    """Before anything is decoded."""
    size = pictures * prod((form.height, form.width, form.channels, 4 if form.is_deep else 1))
    if size > limits.bytes:
        detail = (
            f"expected at most {limits.bytes} bytes as the dataset is stored, got {size}: "
            f"{pictures} pictures of {form.height} x {form.width} with {form.channels} channels. A "
            f"smaller `image_size` in the spec takes less, or raise {SETTING} where the service "
            "runs"
        )
        refuse("too_large", detail)


def _refuse_unreadable(pictures: Sequence[Picture], unreadable: Reasons) -> None:
    """Names them all in one answer, each with its reason."""
    named = [
        (spoken(pictures[place].entry.path), unreadable[place]) for place in sorted(unreadable)
    ]
    left_off = max(0, len(named) - MOST_NAMED)
    findings = [
        Finding(f"expected a picture, got {reason}", pointer_to(path))
        for path, reason in named[:MOST_NAMED]
    ]
    told = "; ".join(f"`{path}`: {reason}" for path, reason in named[:IN_SENTENCE])
    more = f"; and {len(named) - IN_SENTENCE} more" if len(named) > IN_SENTENCE else ""
    detail = (
        f"expected files that can be read as pictures, got {len(named)} of {len(pictures)} that "
        f"cannot: {told}{more}. Take them out or save them anew, and upload again"
    )
    refuse("unreadable_pictures", detail, named[0][0], findings, left_off)
