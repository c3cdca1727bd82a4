"""Pictures among the files, their splits and their classes: the convention of Hugging
Face's imagefolder.

`class/file`, or `train|validation|test/class/file`; what all paths begin with is left out, and of
several archives one whose name says a split is that split. Without a test folder the validation
folder is the test split, beside one it joins training. A class is the folder that a picture stands
in; a metadata file with labels takes its place. Pictures that stand in one folder all have no
labels, and so have, beside folders of classes, those of a folder `unlabelled` and those in none.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Literal

from app.datasets.schemas import DatasetSpec, Split
from worker.intake.pictures import junk, metadata
from worker.intake.pictures.archives import ArchiveEntry, PictureArchive, archive_damage_refused
from worker.intake.pictures.classes import Placed, classes_of
from worker.intake.pictures.metadata import Metadata
from worker.intake.pictures.names import Path, listed, spoken
from worker.intake.raw import IntakeLimits, refuse

Folder = Literal["train", "validation", "test"]
FOLDERS: dict[str, Folder] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
WORDS = re.compile(r"[^a-z]+")
KindOf = Callable[[Path, bool], str | None]
METADATA_KINDS = {None, "tables and annotations"}  # of junk, that such a file may be


class Picture:
    """One item: its file, its split, the class that its folder says, and its row, counted through
    all metadata files."""

    __slots__ = ("entry", "label", "row", "split")

    def __init__(
        self, entry: ArchiveEntry, split: Split, label: str | None, row: int | None
    ) -> None:
        self.entry, self.split, self.label, self.row = entry, split, label, row


@dataclass
class ArchiveLayout:
    """pictures: training first, each split by class and name; whatever order they came in.
    junk: files that are no pictures, counted by kind.
    unread: those of them that may have been meant to be read.
    described: metadata files; without any, no picture has a row.
    label_columns: of these files; None where folders are classes.
    sentences: what was decided of folders and names that a user should know.
    """

    pictures: list[Picture] = field(default_factory=list)
    junk: Counter[str] = field(default_factory=Counter)
    unread: dict[str, list[Path]] = field(default_factory=dict)
    described: list[Metadata] = field(default_factory=list)
    label_columns: tuple[str, ...] | None = None
    sentences: list[str] = field(default_factory=list)

    @property
    def has_test(self) -> bool:
        return any(each.split == "test" for each in self.pictures)


def laid_out(
    archives: Sequence[PictureArchive],
    spec: DatasetSpec,
    limits: IntakeLimits,
    workdir: FilePath,
    kind_of: KindOf = junk.kind_of,
) -> ArchiveLayout:
    """`kind_of`: what a file or a folder counts as that is no item. Raises WorkFailure
    `dataset_invalid`."""
    layout = ArchiveLayout()
    found: list[tuple[Path, ArchiveEntry]] = []
    for archive in archives:
        found += _within(archive, layout, len(archives) > 1, kind_of)
    found.sort(key=lambda each: each[0])
    metadata.check_sizes([entry for path, entry in found if metadata.is_metadata(path)])
    layout.described = [
        metadata.read(entry, path[:-1], spec, limits, workdir)
        for path, entry in found
        if metadata.is_metadata(path)
    ]
    files = [each for each in found if not metadata.is_metadata(each[0])]
    if not files:
        _refuse_empty(layout)
    if not layout.described:
        files = _splits_first(files, layout)
    folders = _split_folders([path for path, _ in files], layout)
    splits = _splits(set(folders.values()), layout)
    placed = [(splits[folders.get(path, "train")], path, entry) for path, entry in files]
    rows = _rows(layout.described, placed)
    if layout.described:
        layout.label_columns = metadata.label_columns(layout.described, spec)
    labels: list[str | None] = [None] * len(placed)
    if layout.label_columns is None:
        labels, told = classes_of(placed, bool(folders), spec.missing_label)
        layout.sentences += told
    elif layout.label_columns:
        layout.sentences.append(
            f"Labels are of the metadata, {listed(layout.label_columns)}; folders are no classes."
        )
    layout.pictures = [
        Picture(entry, split, label, rows.get(path))
        for (split, path, entry), label in zip(placed, labels, strict=True)
    ]
    layout.pictures.sort(key=lambda each: (each.split == "test", each.label or ""))
    return layout


def _within(
    archive: PictureArchive, layout: ArchiveLayout, is_one_of: bool, kind_of: KindOf
) -> list[tuple[Path, ArchiveEntry]]:
    """Pictures and metadata files, below the folder that all stand in; `is_one_of` several."""
    found: list[tuple[Path, ArchiveEntry]] = []
    with archive_damage_refused(archive.name):
        for entry in archive.entries():
            if not entry.path:
                continue
            kind = kind_of(entry.path, entry.is_folder)
            if not entry.is_folder and metadata.is_metadata(entry.path) and kind in METADATA_KINDS:
                kind = None
            if kind:
                layout.junk[kind] += 1
                if kind in junk.SAID and not entry.is_folder:
                    layout.unread.setdefault(kind, []).append(entry.path)
            elif not entry.is_folder:
                found.append((entry.path, entry))
    if archive.encoding:
        layout.sentences.append(
            f"`{archive.name}` does not say how its names are written: they were read as "
            f"{archive.encoding.upper()}."
        )
    top = _top([path for path, _ in found])
    if top:
        layout.sentences.append(
            f"All files of `{archive.name}` stand in the folder `{spoken(top)}`, which is left out."
        )
    said = {FOLDERS[word] for word in WORDS.split(archive.name.lower()) if word in FOLDERS}
    stems: Path = ()
    if is_one_of and len(said) == 1 and not any(_is_split(path[len(top) :]) for path, _ in found):
        stems = (said.pop(),)
    return [((*stems, *path[len(top) :]), entry) for path, entry in found]


def _top(paths: Sequence[Path]) -> Path:
    """The folders that all stand in, down to one that is a split's."""
    if not paths:
        return ()
    shortest = min(paths, key=len)
    depth = 0
    while (
        depth < len(shortest) - 1
        and shortest[depth].casefold() not in FOLDERS
        and all(path[depth] == shortest[depth] for path in paths)
    ):
        depth += 1
    return shortest[:depth]


def _is_split(path: Path) -> bool:
    return len(path) > 1 and path[0].casefold() in FOLDERS


def _splits_first(
    files: list[tuple[Path, ArchiveEntry]], layout: ArchiveLayout
) -> list[tuple[Path, ArchiveEntry]]:
    """Puts the folders of splits before those of classes where all files stand in `cat/train` and
    the like, as train and test would be the classes else."""
    are_inside = all(len(path) > 2 and path[-2].casefold() in FOLDERS for path, _ in files)
    if not are_inside or any(_is_split(path) for path, _ in files):
        return files
    shown = spoken(files[0][0][-3:-1])
    layout.sentences.append(
        f"Folders of splits stand inside of those of classes, as in `{shown}`: the class is the "
        "one around them."
    )
    return [((path[-2], *path[:-2], path[-1]), entry) for path, entry in files]


def _split_folders(paths: Sequence[Path], layout: ArchiveLayout) -> dict[Path, Folder]:
    """The split of each path; none where the first folders are no splits, or not all of them."""
    are_splits = [_is_split(path) for path in paths]
    if all(are_splits):
        return {path: FOLDERS[path[0].casefold()] for path in paths}
    if any(are_splits):
        named = sorted({path[0] for path in paths if _is_split(path)})
        layout.sentences.append(
            f"Folders with names of splits ({listed(named)}) stand beside others, so they are "
            "taken for classes."
        )
    return {}


def _splits(folders: set[Folder], layout: ArchiveLayout) -> dict[Folder, Split]:
    splits: dict[Folder, Split] = {"train": "train", "validation": "train", "test": "test"}
    if folders == {"train", "validation"}:
        splits["validation"] = "test"
        layout.sentences.append("The validation folder is the test split, as there is no other.")
    elif folders == {"validation", "test"}:
        layout.sentences.append("The validation folder is trained on, as there is no other.")
    elif "validation" in folders and "train" in folders:
        layout.sentences.append(
            "The pictures of the validation folder joined training: a job cuts its own validation "
            "items."
        )
    if "test" in folders and len(folders) == 1:
        detail = "expected pictures to train on beside those of the test folder, got none"
        refuse("empty_split", detail, "train")
    return splits


def _rows(described: Iterable[Metadata], placed: Sequence[Placed]) -> dict[Path, int]:
    """Each picture's row, counted through all files. A path may also be the archive's, with what
    all begin with. Raises WorkFailure where a picture has no row, or a row no picture."""
    whole = {entry.path: path for _, path, entry in placed}
    known = {path for _, path, _ in placed}
    rows: dict[Path, int] = {}
    extra: list[Path] = []
    start = 0
    for each in described:
        for path, row in each.rows.items():
            found = path if path in known else whole.get(path)
            if found is None:
                extra.append(path)
            elif found in rows:
                detail = "expected each picture once in all metadata files, got it in two of them"
                refuse("repeated_file_name", f"{detail}: `{spoken(found)}`", spoken(found))
            else:
                rows[found] = start + row
        start += each.part.rows
    if not rows and not extra:
        return {}
    missing = [path for _, path, _ in placed if path not in rows]
    if missing or extra:
        told = [
            f"{len(wrong)} {what}: {listed([spoken(path) for path in wrong])}"
            for wrong, what in (
                (missing, "pictures without a row"),
                (extra, "rows without a picture"),
            )
            if wrong
        ]
        detail = (
            "expected a row of the metadata for each picture and a picture for each row, whose "
            f"`file_name` is its path beside the metadata, ending included; got {'; '.join(told)}"
        )
        refuse("metadata_mismatch", detail, spoken((missing or extra)[0]))
    return rows


def _refuse_empty(layout: ArchiveLayout) -> None:
    others = ", ".join(f"{count} of {kind}" for kind, count in layout.junk.items()) or "no file"
    detail = f"expected pictures, got {others}; a table is uploaded by itself and not in an archive"
    refuse("no_pictures", detail)
