"""Folders -> classes, and pictures that stand outside of these."""

from collections.abc import Sequence

from app.datasets.schemas import MissingLabel, Split
from worker.intake.pictures.archives import ArchiveEntry
from worker.intake.pictures.names import Path, listed, spoken
from worker.intake.raw import refuse

UNLABELLED = {"unlabelled", "unlabeled"}  # folders that are no classes
LABELS_COME = (
    "labels come from a folder for each class, or from a file metadata.csv or metadata.jsonl "
    "beside the pictures, with a column `file_name` and one of labels"
)
Placed = tuple[Split, Path, ArchiveEntry]


def classes_of(
    placed: Sequence[Placed], has_splits: bool, missing: MissingLabel
) -> tuple[list[str | None], list[str]]:
    """The class of each picture, and sentences. Beside classes there is none for pictures in a
    folder `unlabelled` and in no folder, unless `missing`, the spec's `missing_label`, is null."""
    start = 1 if has_splits else 0
    inner = [path[start:-1] for _, path, _ in placed]
    if len(set(inner)) == 1:
        where = (
            f"in one folder, `{inner[0][-1]}`, which is no class" if inner[0] else "side by side"
        )
        return [None] * len(inner), [f"All pictures stand {where}: {LABELS_COME}."]
    sentences = []
    if deep := {folders for folders in inner if len(folders) > 1}:
        sentences.append(
            f"Some folders stand inside of others, as in `{spoken(min(deep))}`: the class is the "
            "one that a picture stands in."
        )
    folders = [each[-1] if each else None for each in inner]
    if missing is None:
        _refuse_bare([path for (_, path, _), each in zip(placed, folders, strict=True) if not each])
        return [*folders], sentences
    classes = [each if each and each.casefold() not in UNLABELLED else None for each in folders]
    return classes, sentences + _without_class(placed, folders, classes)


def _without_class(
    placed: Sequence[Placed], folders: Sequence[str | None], classes: Sequence[str | None]
) -> list[str]:
    """Sentences about the pictures that have none, beside others of their split that have one."""
    labelled = {split for (split, *_), each in zip(placed, classes, strict=True) if each}
    bare: list[Path] = []
    inside: list[Path] = []
    for (split, path, _), folder, name in zip(placed, folders, classes, strict=True):
        if name is None and split in labelled:
            (bare if folder is None else inside).append(path)
    sentences = []
    if bare:
        sentences.append(
            f"{len(bare)} pictures stand in no folder of a class, so that they have no label: "
            f"{listed(list(map(spoken, bare)))}."
        )
    if inside:
        names = sorted({path[-2] for path in inside})
        sentences.append(
            f"{len(inside)} pictures stand in {listed(names)}, so that they have no label; "
            "`missing_label`: null in the spec says that this is a class."
        )
    return sentences


def _refuse_bare(bare: Sequence[Path]) -> None:
    if bare:
        detail = (
            "expected each picture in the folder of its class, as `missing_label` is null in the "
            f"spec, got {len(bare)} outside: {listed(list(map(spoken, bare)))}"
        )
        refuse("partly_labelled", detail, spoken(bare[0]))
