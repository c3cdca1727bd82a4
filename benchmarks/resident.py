"""How much memory a trial on a large stored dataset takes.

    python -m benchmarks.resident              (5 GiB of pictures of 64x64x3)
    python -m benchmarks.resident --gib 1 --backbone convnet

Pictures of noise are written to a temporary folder as an intake leaves them, memory-mapped as a
worker has them, and trained on for an epoch. Resident memory is the kernel's (VmRSS of /proc), seen
every tenth of a second, pages of the mapped file included. Wanted: below 2 GiB.
"""

import argparse
import os
import tempfile
import threading
import time
from pathlib import Path

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read when numpy is loaded
    os.environ.pop(name, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402  after the environment

from app.datasets.schemas import Schema  # noqa: E402
from app.inputs.image import ImageInputs  # noqa: E402
from app.spec.spec import ResolvedSpec  # noqa: E402
from app.tasks.classification import Classification  # noqa: E402
from tests.training.trials import Recorder  # noqa: E402
from worker.training.data import Domain, Split, cut_validation  # noqa: E402
from worker.training.items import Items  # noqa: E402
from worker.training.run import train  # noqa: E402
from worker.trials.engine_setup import engine_setup  # noqa: E402

SHAPE, CLASSES, BLOCK = (64, 64, 3), 10, 4096
GIB = 2**30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=5.0)
    parser.add_argument("--backbone", default="mlp")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        items = int(asked.gib * GIB / np.prod(SHAPE))
        path = _written(Path(folder) / "x_train.npy", items)
        seen = _Watched()
        seconds = _trained(path, items, asked.backbone)
        peak = seen.stop()
    print(
        f"{asked.gib:g} GiB, {items} pictures, {asked.backbone}: {seconds:.0f} s an epoch, "
        f"resident {seen.before / GIB:.2f} GiB before, {peak / GIB:.2f} GiB at most"
    )


def _written(path: Path, items: int) -> Path:
    rng = np.random.default_rng(0)
    stored = np.lib.format.open_memmap(path, "w+", np.uint8, (items, *SHAPE))
    noise = rng.integers(0, 256, (BLOCK, *SHAPE), dtype=np.uint8)
    for start in range(0, items, BLOCK):
        stored[start : start + BLOCK] = noise[: items - start]
    stored.flush()
    del stored
    return path


def _trained(path: Path, items: int, backbone: str) -> float:
    y = (np.arange(items) % CLASSES).astype(np.int32)
    split = Split.stored(Items.of({"image": np.load(path, mmap_mode="r")}), y)
    counts = tuple(np.bincount(y, minlength=CLASSES).tolist())
    schema = Schema(
        inputs=ImageInputs(shape=SHAPE, dtype="uint8", value_range=(0, 255)),
        task=Classification(classes=tuple(map(str, range(CLASSES)))),
        splits={"train": items, "test": 0},
        class_counts={"train": counts, "test": (0,) * CLASSES},
    )
    kept, held_out = cut_validation(y, 0.1, 0)
    domain = Domain(schema, split.select(kept), split.select(held_out))
    spec = ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_a"}],
            "target": {"dataset": "ds_b"},
            "model": {"backbone": backbone, "params": _SMALL[backbone]},
            "strategies": [{"name": "fine_tune"}],
            "training": {"epochs": 1, "min_steps": 0, "batch_size": 256, "augmentation": None},
        }
    )
    began = time.perf_counter()
    train(engine_setup(spec, "baseline", None, 0, domain), Recorder())
    return time.perf_counter() - began


_SMALL = {"mlp": {"hidden": [16]}, "convnet": {"filters": [4, 8], "dense": 16}}


class _Watched:
    """Looks at this process's resident memory until it is stopped."""

    def __init__(self) -> None:
        self.before = self.most = _resident()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self.most

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            self.most = max(self.most, _resident())


def _resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    kib = next(line for line in lines if line.startswith("VmRSS")).split()[1]
    return int(kib) * 1024


if __name__ == "__main__":
    main()
