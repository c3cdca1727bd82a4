"""The GPUs of this machine that work, and the environment that TensorFlow needs beside them.

`python -m worker.machine.gpus` prints them as JSON, for `ktl doctor`.

Nothing here wakes CUDA in this process: one that has woken it cannot be forked any more. So each
GPU is tried in a process of its own (gpu_probe.py), and what fails there is left out here.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

DRIVER, CARDS = Path("/dev/nvidiactl"), Path("/proc/driver/nvidia/gpus")
VISIBLE = "CUDA_VISIBLE_DEVICES"
HIDDEN = "-1"
PROBE_SECONDS = 120.0  # of which loading TensorFlow takes up to 20
PROBE = (sys.executable, "-m", "worker.machine.gpu_probe")
MIG = re.compile(r"\(UUID: (MIG-[^)]+)\)")
# XLA's Triton matrix products cannot tile a ReLU that is flattened into a dense layer: compiling a
# convnet then ends with an InternalError (openxla/xla#36792). cuBLAS is as fast.
NO_TRITON = "--xla_gpu_enable_triton_gemm=false"


@dataclass(frozen=True)
class Gpus:
    """`usable`: identifiers as CUDA_VISIBLE_DEVICES takes them. `complaints`: why others, or all,
    are left out."""

    usable: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()


@cache
def gpus() -> Gpus:
    """Finds them once per process, in the time that loading TensorFlow takes."""
    if not DRIVER.exists():
        return Gpus()
    return tried(identifiers(os.environ))


def prepare_environment(environment: MutableMapping[str, str]) -> None:
    """Sets what TensorFlow reads when it loads, where there is a driver: GPU memory is taken as it
    is needed, and XLA leaves Triton alone, unless the user's own settings say otherwise."""
    if not DRIVER.exists():
        return
    environment.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    flags = environment.get("XLA_FLAGS", "")
    if "xla_gpu_enable_triton_gemm" not in flags:
        environment["XLA_FLAGS"] = f"{flags} {NO_TRITON}".strip()


def identifiers(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The GPUs that CUDA would show a process: those that the user names, as they are named, else
    the parts that cards are divided into (MIG), else all cards by number."""
    if VISIBLE in environment:
        named = [name.strip() for name in environment[VISIBLE].split(",")]
        stop = next((place for place, name in enumerate(named) if name in {"", HIDDEN}), len(named))
        return tuple(named[:stop])
    if parts := MIG.findall(_listing()):
        return tuple(parts)
    return tuple(str(number) for number, _ in enumerate(CARDS.glob("*")))


def tried(found: Sequence[str], probe: Sequence[str] = PROBE) -> Gpus:
    """Has each GPU compute something, all at the same time."""
    if not found:
        return Gpus()
    with ThreadPoolExecutor(len(found)) as pool:
        complaints = list(pool.map(lambda each: _complaint(each, probe), found))
    usable = tuple(gpu for gpu, said in zip(found, complaints, strict=True) if said is None)
    return Gpus(usable, tuple(said for said in complaints if said))


def _complaint(gpu: str, probe: Sequence[str]) -> str | None:
    environment = {**os.environ, VISIBLE: gpu}
    prepare_environment(environment)
    try:
        ended = subprocess.run(  # noqa: S603  the command is ours
            probe,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
        answer = json.loads(ended.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return f"GPU {gpu} is left out: it did not answer within {PROBE_SECONDS:g} s"
    except (IndexError, ValueError):
        last = (ended.stderr.strip().splitlines() or ["no word"])[-1]
        return (
            f"GPU {gpu} is left out: its trial ended with status {ended.returncode}: {last[:200]}"
        )
    return f"GPU {gpu} is left out: {answer['error']}" if answer["error"] else None


def _listing() -> str:
    """What the driver's own tool lists; nothing where it is not installed."""
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"],  # noqa: S607  it stands where the driver put it
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return listed.stdout


if __name__ == "__main__":
    print(json.dumps({"has_driver": DRIVER.exists(), **asdict(gpus())}))  # noqa: T201  for a program
