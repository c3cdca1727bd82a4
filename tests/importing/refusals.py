"""How a .keras file is refused, and archives that are put together anew."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import FailureCode, WorkFailure
from app.models.importing import ImportSpec
from tests.importing.archives import spec
from worker.importing.keras_file import read_keras

Rewrite = Callable[[zipfile.ZipFile, dict[str, bytes]], None]

MOST_BYTES = 2**22
SECRET = "a-name-that-must-not-come-back"


def refused(path: Path, **members: Any) -> WorkFailure:
    """The refusal, in which nothing of the file is echoed."""
    with pytest.raises(WorkFailure) as caught:
        read_keras(path, ImportSpec.model_validate(spec(**members)), path.parent, MOST_BYTES)
    failure = caught.value
    assert failure.code is FailureCode.MODEL_INVALID
    assert failure.stage == "import"
    assert str(failure.pointer).startswith(("#/file", "#/spec"))
    assert SECRET not in json.dumps(failure.as_json())
    return failure


def redone(path: Path, rewrite: Rewrite) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    target = path.parent / "redone.keras"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        rewrite(archive, members)
    return target


def bomb(name: str, size: int) -> Rewrite:
    def rewrite(archive: zipfile.ZipFile, members: dict[str, bytes]) -> None:
        for each, content in members.items():
            archive.writestr(each, b" " * size if each == name else content)

    return rewrite
