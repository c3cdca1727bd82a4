"""Which GPUs a worker uses, by stand-ins for the driver and for what a GPU answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from worker.machine import gpus
from worker.machine.gpus import Gpus, identifiers, prepare_environment, tried

# Of the GPUs that it is tried on: 0 works, 1 answers an error, 2 dies, others are silent.
PROBE = """
import json, os
seen = os.environ["CUDA_VISIBLE_DEVICES"]
if seen == "2": raise SystemExit("Xid 79: the GPU has fallen off the bus")
if seen in "01": print("a library's line"); print(json.dumps({"error": [None, "ECC"][int(seen)]}))
"""


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "nvidiactl"
    path.touch()
    monkeypatch.setattr(gpus, "DRIVER", path)
    return path


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("0,1", ("0", "1")),
        (" 3 , 1", ("3", "1")),
        ("MIG-8f6a,GPU-12cd", ("MIG-8f6a", "GPU-12cd")),
        ("0,-1,1", ("0",)),  # as CUDA reads it
        ("-1", ()),
        ("", ()),
    ],
)
def test_what_the_user_names_is_taken_as_it_is(named: str, expected: tuple[str, ...]) -> None:
    assert identifiers({"CUDA_VISIBLE_DEVICES": named}) == expected


def test_all_cards_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "CARDS", tmp_path)
    monkeypatch.setattr(gpus, "_listing", lambda: "GPU 0: NVIDIA A100 (UUID: GPU-1)\n")
    for address in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / address).mkdir()
    assert identifiers({}) == ("0", "1")


def test_parts_of_cards_are_gpus_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = (
        "GPU 0: NVIDIA A100 (UUID: GPU-1)\n"
        "  MIG 3g.20gb     Device  0: (UUID: MIG-aa)\n  MIG 3g.20gb     Device  1: (UUID: MIG-bb)\n"
    )
    monkeypatch.setattr(gpus, "_listing", lambda: listing)
    assert identifiers({}) == ("MIG-aa", "MIG-bb")


def test_one_that_is_broken_is_left_out() -> None:
    found = tried(["0", "1", "2", "3"], probe=[sys.executable, "-c", PROBE])
    assert found.usable == ("0",)
    ecc, dead, silent = found.complaints
    assert ecc == "GPU 1 is left out: ECC"
    assert "GPU 2" in dead
    assert "fallen off the bus" in dead
    assert "GPU 3" in silent


def test_one_that_hangs_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "PROBE_SECONDS", 0.2)
    found = tried(["0"], probe=[sys.executable, "-c", "import time; time.sleep(60)"])
    assert found == Gpus((), ("GPU 0 is left out: it did not answer within 0.2 s",))


def test_flags_are_added_to_the_users(driver: Path) -> None:
    environment = {"XLA_FLAGS": "--xla_dump_to=/tmp/x"}
    prepare_environment(environment)
    prepare_environment(environment)
    assert environment == {
        "XLA_FLAGS": "--xla_dump_to=/tmp/x --xla_gpu_enable_triton_gemm=false",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }
    own = {"XLA_FLAGS": "--xla_gpu_enable_triton_gemm=true", "TF_FORCE_GPU_ALLOW_GROWTH": "false"}
    environment = dict(own)
    prepare_environment(environment)
    assert environment == own


def test_without_a_driver_nothing_is_set(driver: Path) -> None:
    driver.unlink()
    environment: dict[str, str] = {}
    prepare_environment(environment)
    assert environment == {}


@pytest.mark.slow
def test_the_probe_and_the_flags_by_the_tensorflow_that_is_installed(
    driver: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow ends a process whose XLA_FLAGS it does not know."""
    gpu_here = identifiers(os.environ) if Path("/dev/nvidiactl").exists() else ()
    found = tried(gpu_here or ["0"])
    assert found.usable or "install the extra `gpu`" in found.complaints[0]
    environment = dict(os.environ)
    prepare_environment(environment)
    program = "import tensorflow as tf; print(tf.function(tf.exp, jit_compile=True)(0.0).numpy())"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.stdout.strip() == "1.0", ended.stderr
