"""A dataset's spec, as the options of `ktl datasets add` say it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app.cli import job_file

HOW = (
    "`ktl datasets add` takes what belongs into the spec as --target COLUMN, as --set PATH=VALUE "
    "(csv.encoding=cp1252, columns.NAME=ignore), or as --spec FILE.json"
)
OTHERWISE_SAID = {"files", "on_progress"}  # names of the client's own arguments


def read(file: Path | None, target: str | None, settings: Iterable[str]) -> dict[str, Any]:
    """The file's members, on them each setting, on them the target's column. Raises Unusable."""
    spec = job_file.read(file) if file else {}
    for setting in settings:
        job_file.apply(spec, setting)
    if target is not None:
        job_file.apply_value(spec, ("target", "column"), target)
    if others := sorted(OTHERWISE_SAID & spec.keys()):
        raise job_file.Unusable(f"expected members of a dataset's spec, got {', '.join(others)}")
    return spec
