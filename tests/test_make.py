"""`make` where what the installation needs is missing: it says what, and begins nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
OLD = 'case "$1" in --version) echo "Python 3.10.12";; *) exit 1;; esac'
WITHOUT_VENV = f'case "$2" in *ensurepip*) exit 1;; *) exec {sys.executable} "$@";; esac'
WITHOUT_PIP = f"""
case "$2" in
  venv) mkdir -p .venv/bin && printf '#!/bin/sh\\necho ResolutionImpossible >&2; exit 1\\n' \
> .venv/bin/python && chmod +x .venv/bin/python;;
  *) exec {sys.executable} "$@";;
esac
"""
FULL_DISK = (
    'echo "Filesystem 1024-blocks Used Available Capacity Mounted on"; echo "d 9 9 204800 9% /"'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(HOUSE / name, tmp_path)
    return tmp_path


def script(folder: Path, name: str, lines: str) -> str:
    path = folder / "programs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return str(path)


def refusal(folder: Path, python: str) -> str:
    path = f"{folder / 'programs'}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["make", "install", f"PYTHON={python}"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2, ended.stdout
    assert not (folder / ".venv" / "installed").exists()
    return ended.stderr


def test_no_python(folder: Path) -> None:
    said = refusal(folder, "/nowhere/python3")
    assert "expected Python 3.11, 3.12 or 3.13, got no /nowhere/python3." in said
    assert "`make PYTHON=/path/to/python3.12` names another" in said


def test_an_unfit_python(folder: Path) -> None:
    said = refusal(folder, script(folder, "python3.10", OLD))
    assert "expected Python 3.11, 3.12 or 3.13, got Python 3.10.12." in said
    assert not (folder / ".venv").exists()


def test_a_python_without_venv(folder: Path) -> None:
    said = refusal(folder, script(folder, "python3", WITHOUT_VENV))
    assert "`apt install python3-venv`" in said
    assert not (folder / ".venv").exists()


def test_a_full_disk(folder: Path) -> None:
    script(folder, "df", FULL_DISK)
    said = refusal(folder, sys.executable)
    assert f"expected 4000 MB of free disk for .venv, got 200 MB in {folder}" in said
    assert not (folder / ".venv").exists()


def test_an_installation_that_stopped_half_way(folder: Path) -> None:
    script(folder, "df", FULL_DISK.replace("204800", "20480000"))
    said = refusal(folder, script(folder, "python3", WITHOUT_PIP))
    assert said.startswith("ResolutionImpossible\nktl: pip could not install what ktl needs")
