"""Every format that uploads may have. A new one is a file beside this and a name in FORMATS."""

from collections.abc import Sequence
from pathlib import Path

from app.datasets.schemas import DatasetSpec
from worker.intake import idx, npz, pictures
from worker.intake.raw import Format, Limits, RawArrays, RawFile, refuse

FORMATS: tuple[Format, ...] = (npz, idx)


def read(files: Sequence[RawFile], spec: DatasetSpec, limits: Limits, workdir: Path) -> RawArrays:
    if pictures.recognises(files):  # first: others take any zip and any gzip for theirs
        return pictures.read(files, spec.image_size, limits, workdir)
    for known in FORMATS:
        if known.recognises(files):
            return known.read(files, limits, workdir)
    names = ", ".join(f"`{file.name}`" for file in files) or "no file"
    formats = ", ".join((pictures.name, *(known.name for known in FORMATS)))
    refuse("unknown_format", f"expected files of one of the formats {formats}, got {names}")
