"""`ktl predict` with pictures: which files are some, and answers of many requests as one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.job_file import Unusable
from app.cli.texts import ENDING

if TYPE_CHECKING:
    from app.client import Client
    from app.prediction.schemas import PredictOut

HIDDEN = (".", "__MACOSX/")  # what systems leave beside people's files
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic"}
OTHERS = {".npy", ".csv", ".tsv", ".tab", ".json", ".jsonl"}  # endings of raw inputs
IN_A_REQUEST, BYTES_IN_A_REQUEST = 32, 2**24  # pictures, and bytes but for a larger one alone
JSON_STARTS = (b"[", b"{")
LOOKED_AT = 64  # bytes


def expanded(files: Sequence[Path]) -> list[Path]:
    """The files, with all pictures below a folder in its place, or all its texts, in the order of
    their names. Raises Unusable for a folder of neither."""
    return [each for path in files for each in (_within(path) if path.is_dir() else [path])]


def _within(folder: Path) -> list[Path]:
    below = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    seen = [folder / path for path in below if not path.as_posix().startswith(HIDDEN)]
    for endings in (PICTURES, {ENDING}):
        if found := [path for path in seen if path.suffix.lower() in endings]:
            return found
    raise Unusable(f"{folder}: expected pictures or .txt files in the folder, got neither")


def are_pictures(files: Sequence[Path]) -> bool:
    """One file of raw inputs is none. Raises Unusable for such ones beside others."""
    others = [path for path in files if _is_raw(path)]
    if others and len(files) > 1:
        raise Unusable(
            f"expected pictures, or one file of raw inputs alone, got {others[0]} among "
            f"{len(files)} files"
        )
    return not others


def _is_raw(path: Path) -> bool:
    """Tells by the ending, and where it tells nothing by the start of the file."""
    if str(path) == "-" or path.suffix.lower() in OTHERS:
        return True
    try:
        with path.open("rb") as file:
            return file.read(LOOKED_AT).lstrip().startswith(JSON_STARTS)
    except OSError as error:
        detail = f"expected a picture or raw inputs, got: {error.strerror}"
        raise Unusable(f"{path}: {detail}") from error


def ask(
    client: "Client", name: str, files: Sequence[Path], top_k: int | None, raw_scores: bool
) -> "PredictOut":
    """Asks as of one request. Raises Unusable with the file's name for one that is no picture, and
    what `Deployments.predict` raises."""
    from app.client import ApiError

    answers, start = [], 0
    while start < len(files):
        some = _next(files[start:])
        try:
            answers.append(client.deployments.predict_pictures(name, some, top_k, raw_scores))
        except OSError as error:
            raise Unusable(f"expected files that can be read, got: {error}") from error
        except ApiError as problem:
            if problem.code == "unreadable_picture":
                raise Unusable(_told(problem.errors, some)) from problem
            raise
        start += len(some)
    outputs = [each for answer in answers for each in answer.outputs]
    warnings = [each for answer in answers for each in answer.warnings]
    return answers[0].model_copy(update={"outputs": outputs, "warnings": warnings})


def _next(files: Sequence[Path]) -> Sequence[Path]:
    """Takes as many of the first as go into one request."""
    size = 0
    for count, path in enumerate(files[:IN_A_REQUEST]):
        size += path.stat().st_size
        if count and size > BYTES_IN_A_REQUEST:
            return files[:count]
    return files[:IN_A_REQUEST]


def _told(findings: Sequence[dict[str, str]], files: Sequence[Path]) -> str:
    lines = []
    for finding in findings:
        place = finding.get("pointer", "").rpartition("/")[2]
        file = files[int(place)] if place.isdecimal() and int(place) < len(files) else files[0]
        lines.append(f"{file}: {finding['detail']}")
    return "\n".join(lines)
