"""Refusal of an upload of a network: one code, a sentence, a pointer into the file."""

from app.errors import FailureCode, WorkFailure, token

IMPORT = "import"  # the stage


def refused(reason: str, detail: str, *path: str | int) -> WorkFailure:
    """`path`: members on the way into the file, as `config.json`, `config`, `layers`, 3."""
    pointer = "/".join(["#/file", *(token(str(each)) for each in path)])
    return WorkFailure(
        FailureCode.MODEL_INVALID, detail, stage=IMPORT, reason=reason, pointer=pointer
    )
