"""Archives of texts: .txt files in folders of classes and splits, as those of pictures.

An archive is one of texts where it holds .txt files and nothing that may be a picture, or where the
spec says so. What comes of it is a table with the columns `text`, `label` and `file`.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path as FilePath
from pathlib import PurePath

import pyarrow as pa

from app.datasets.schemas import DatasetSpec, Split
from app.datasets.table_spec import ColumnSpec, TargetSpec
from app.errors import WorkFailure
from app.inputs.picture_files import UnreadablePicture
from worker.intake.pictures import junk
from worker.intake.pictures.archives import PictureArchive, archive_damage_refused
from worker.intake.pictures.layout import ArchiveLayout, Picture, laid_out
from worker.intake.pictures.metadata import is_metadata
from worker.intake.pictures.names import Path, listed, spoken
from worker.intake.raw import IntakeLimits, refuse
from worker.intake.tables.records import SETTING, FileRows, Records, refuse_said, spill

TEXTS = ".zip or .tar of .txt files"
TEXT, LABEL, FILE = "text", "label", "file"
ENDING, OTHERS = ".txt", "no texts"
BATCH = 2**10
MARKED = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
PICTURES = re.compile(r"(`[^`]*`)|pictures?\b")


@dataclass(frozen=True)
class TextFiles:
    """A row per file. `spec`: what was said of the upload, and what the columns are."""

    records: Records
    spec: DatasetSpec


def are_texts(archives: Sequence[PictureArchive], spec: DatasetSpec) -> bool:
    """Raises WorkFailure `dataset_invalid`."""
    if spec.modality not in {None, TEXT}:
        return False
    if spec.modality == TEXT:
        return True
    has_texts = False
    for archive in archives:
        with archive_damage_refused(archive.name):
            for entry in archive.entries():
                if not entry.path or entry.is_folder:
                    continue
                if junk.kind_of(entry.path, is_folder=False) is None:
                    return False
                has_texts = has_texts or _kind_of(entry.path, False) is None
    return has_texts


def read_texts(
    archives: Sequence[PictureArchive], spec: DatasetSpec, limits: IntakeLimits, workdir: FilePath
) -> TextFiles:
    """Raises WorkFailure `dataset_invalid`."""
    said = spec.target and (spec.target.column is not None or spec.target.columns is not None)
    for member in ("columns", "target") if said else ("columns",):
        if getattr(spec, member):
            detail = f"expected `{member}` for a table alone, as a CSV file, got files of texts"
            refuse_said("not_a_table", detail, member)
    with _spoken_of_texts():
        layout = laid_out(archives, spec, limits, workdir, _kind_of)
    if len(layout.pictures) > limits.items:
        refuse("too_many_items", f"expected at most {limits.items} texts, got more")
    if sum(each.entry.bytes for each in layout.pictures) > limits.bytes:
        detail = f"expected texts of at most {limits.bytes} bytes, got more: upload fewer"
        refuse("too_large", f"{detail}, or raise {SETTING} where the service runs")
    sides: dict[Split, list[Picture]] = {"train": [], "test": []}
    for each in layout.pictures:
        sides[each.split].append(each)
    encoding = _encoding(layout)
    found = [_of_texts(each) for each in layout.sentences]
    found += [
        f"{layout.junk[kind]} files that are {kind} were not read."
        for kind in sorted({*junk.SAID, OTHERS} & layout.junk.keys())
    ]
    if encoding != "utf-8":
        found.append(f"Texts that are not in UTF-8 were read as {encoding}.")
    has_labels = any(each.label is not None for each in layout.pictures)
    names = (TEXT, LABEL, FILE) if has_labels else (TEXT, FILE)
    train, test = (
        _part(split, some, encoding, names, limits, workdir) for split, some in sides.items()
    )
    parts = [each for each in (train, test) if each]
    parts[0] = replace(parts[0], found=tuple(found))
    columns = {
        TEXT: ColumnSpec(kind="text", role="feature"),
        FILE: ColumnSpec(role="id"),
    }
    task = spec.said_task
    target = (
        TargetSpec(column=LABEL, task=task) if has_labels else TargetSpec(columns=(), task=task)
    )
    return TextFiles(
        Records(*parts),
        spec.model_copy(update={"columns": columns, "target": target, "modality": TEXT}),
    )


def _kind_of(path: Path, is_folder: bool) -> str | None:
    """Does as junk.kind_of, but texts are wanted and all else is not."""
    kind = junk.kind_of(path, is_folder)
    if is_folder:
        return kind
    if is_metadata(path):
        return OTHERS
    file = PurePath(path[-1].casefold())
    if kind == "texts" and file.suffix == ENDING and file.stem not in junk.TEXT_NAMES:
        return None
    return kind or OTHERS


def _part(
    split: Split,
    texts: Sequence[Picture],
    encoding: str,
    names: Sequence[str],
    limits: IntakeLimits,
    workdir: FilePath,
) -> FileRows | None:
    """`names`: of the columns."""
    if not texts:
        return None
    target = workdir / f"texts-{split}.arrow"
    schema = pa.schema([(name, pa.string()) for name in names])

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(texts), BATCH):
            some = texts[start : start + BATCH]
            held = {
                TEXT: [_text(each, encoding) for each in some],
                LABEL: [each.label for each in some],
                FILE: [spoken(each.entry.path) for each in some],
            }
            columns = [pa.array(held[name], pa.string()) for name in names]
            yield pa.record_batch(columns, schema=schema)

    name = f"the {split} texts"
    rows = spill(name, schema, batches(), limits, target)
    return FileRows(name, target, rows, tuple(names), partial(_place, texts))


def _place(texts: Sequence[Picture], row: int) -> str:
    return f"`{spoken(texts[row].entry.path)}`"


def _encoding(layout: ArchiveLayout) -> str:
    """The one encoding of all texts without a mark: UTF-8, else GB 18030. Raises WorkFailure."""
    others = [each for each in layout.pictures if _decoded(_bytes(each), "utf-8") is None]
    if not others:
        return "utf-8"
    strange = [each for each in others if _decoded(_bytes(each), "gb18030") is None]
    if strange or len(others) < len(layout.pictures) / 2:
        named = strange or others
        detail = (
            "expected texts in UTF-8, or all in GB 18030, or with a mark of UTF-16, got "
            f"{len(named)} others: {listed([spoken(each.entry.path) for each in named])}; write "
            "them in UTF-8"
        )
        refuse("unknown_encoding", detail, spoken(named[0].entry.path))
    return "gb18030"


def _text(text: Picture, encoding: str) -> str:
    found = _bytes(text)
    decoded = _decoded(found, "utf-8")
    return decoded if decoded is not None else _decoded(found, encoding) or ""


def _decoded(found: bytes, encoding: str) -> str | None:
    marked = next((name for mark, name in MARKED.items() if found.startswith(mark)), encoding)
    try:
        return found.decode(marked)
    except UnicodeDecodeError:
        return None


def _bytes(text: Picture) -> bytes:
    """Raises WorkFailure."""
    try:
        return text.entry.read()
    except UnreadablePicture as damage:
        where = spoken(text.entry.path)
        refuse(
            "truncated_file", f"expected a file that can be read, got `{where}`: {damage}", where
        )


def _of_texts(sentence: str) -> str:
    """What is said of pictures, but for names."""
    return PICTURES.sub(lambda found: found[1] or found[0].replace("picture", "text"), sentence)


@contextmanager
def _spoken_of_texts() -> Iterator[None]:
    """Around what speaks of pictures."""
    try:
        yield
    except WorkFailure as failure:
        failure.detail = _of_texts(failure.detail)
        raise
