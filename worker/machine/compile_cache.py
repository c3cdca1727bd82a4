"""XLA's compiled programs, kept on disk for the next process. Must be set before TensorFlow loads.

A program is machine code for one kind of processor: a data folder that several machines share holds
a folder for each kind.
"""

import os
import platform
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

FLAGS = "TF_XLA_FLAGS"


def keep_compiled_programs(cache: Path) -> None:
    """Leaves the environment alone where the user has chosen a folder, or `cache` has a space in
    its path, which the flag cannot carry."""
    flags = os.environ.get(FLAGS, "")
    folder = programs_folder(cache)
    if "persistent_cache_directory" in flags or " " in str(folder):
        return
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[FLAGS] = f"{flags} --tf_xla_persistent_cache_directory={folder}".strip()


def programs_folder(cache: Path) -> Path:
    """Names the folder of this kind of machine and this release of TensorFlow."""
    return cache / "xla" / _processor()


def _processor() -> str:
    """One name a kind of processor and release of TensorFlow."""
    abilities = platform.processor()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text().splitlines()
        abilities = next(
            (line for line in lines if line.startswith(("flags", "Features"))), abilities
        )
    digest = sha256(abilities.encode()).hexdigest()[:12]
    return f"{platform.machine()}-{digest}-tensorflow-{version('tensorflow')}"
