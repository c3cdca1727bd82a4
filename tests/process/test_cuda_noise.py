"""What reaches the terminal of a process that loads TensorFlow, and of one that says more."""

import subprocess
import sys
from pathlib import Path

import pytest

SAYS = r"""
import os, sys
from pathlib import Path
from worker.machine import gpus
from worker.machine.cuda_noise import without_cuda_noise
gpus.DRIVER = Path(sys.argv[1])
print("before", file=sys.stderr)
try:
    with without_cuda_noise():
        os.write(2, b"I0000 00:00:1.1 7 cudart_stub.cc:31] Could not find cuda drivers\n")
        os.write(2, b"E0000 00:00:1.1 7 cuda_platform.cc:52] failed call to cuInit\n")
        print("a warning of another library", file=sys.stderr)
        os.write(2, b"a line without an end")
        raise ImportError("no module")
except ImportError as error:
    print(f"\n{error}", file=sys.stderr)
"""


def said(*arguments: str | Path) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return ended.stderr


def test_all_but_the_noise_is_said_in_its_order(tmp_path: Path) -> None:
    lines = said(SAYS, tmp_path / "none").splitlines()
    assert lines == ["before", "a warning of another library", "a line without an end", "no module"]


def test_where_there_is_a_driver_all_is_said(tmp_path: Path) -> None:
    (tmp_path / "nvidiactl").touch()
    assert "cuInit" in said(SAYS, tmp_path / "nvidiactl")


@pytest.mark.slow
def test_a_worker_starts_in_silence() -> None:
    first = "import worker.__main__; from worker.machine.device import configure_tensorflow as c"
    assert said(f"{first}; c(1)") == ""
