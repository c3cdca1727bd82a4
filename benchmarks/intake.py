"""Taking in a zip of JPEGs: pictures a second beside Hugging Face `datasets`, and peak memory.

    python -m benchmarks.intake [--pictures 20000] [--repeats 3] [--peer PYTHON]

The pictures are 640 x 480 and 480 x 640, smooth noise at quality 85, of 10 classes; 256 different
ones, repeated, in a zip without compression, as phones' JPEGs do not shrink. `ktl` is the whole
intake, `ingest_upload`: headers, pixels at the size it chooses, labels, split, duplicates, profile.
The peer loads the same zip with `load_dataset("imagefolder")` and writes the same pictures, as RGB
of the same size, to an array on disk: in one process by a loop, its usual way, and in as many as
there are cores by `map`. The pixels are not the same: ktl decodes a JPEG at the smallest eighth of
its sides that is large enough, which is part of why it is quicker; docs/decisions/pictures.md says
what that costs in accuracy. Each runs in a process of its own, in turn; figures are medians of the
repeats, in which the peer's best way counts. Peak memory is the process's greatest resident size at
a tenth of the pictures and at all of them.

`--peer` is an interpreter with `datasets` and Pillow, of an environment of their own, as they bring
much; by default this one where it has them. Without any, ktl's own figures alone are measured.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any
from zipfile import ZipFile

import numpy as np
from PIL import Image

from app.datasets.schemas import DatasetSpec
from worker.intake.ingestion import ingest_upload
from worker.intake.raw import IntakeLimits, RawFile

DIFFERENT, CLASSES = 256, 10
SIDES = (480, 640)
WANTED_RATIO = 1.5
PEER = Path(__file__).with_name("_imagefolder_peer.py")


def main() -> None:
    asked = _arguments()
    if asked.take:
        print(json.dumps(take(Path(asked.take))))
        return
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="ktl-") as name:
        folder = Path(name)
        few, many = asked.pictures // 10, asked.pictures
        zips = {count: written(folder / f"{count}.zip", count) for count in (few, many)}
        runs: dict[str, list[dict[str, float]]] = {"few": [], "ktl": [], "loop": [], "map": []}
        for _ in range(asked.repeats):
            runs["few"].append(_ktl(zips[few]))
            runs["ktl"].append(_ktl(zips[many]))
            height, width = int(runs["ktl"][-1]["height"]), int(runs["ktl"][-1]["width"])
            if asked.peer:
                for way, processes in (("loop", 1), ("map", len(os.sched_getaffinity(0)))):
                    runs[way].append(
                        _peer(asked.peer, zips[many], folder / "peer", (height, width, processes))
                    )
    rates = {way: [many / run["seconds"] for run in held] for way, held in runs.items() if held} | {
        "few": [few / run["seconds"] for run in runs["few"]]
    }
    for way, held in rates.items():
        figures[f"{way}_pictures_per_second"] = round(median(held), 1)
        figures[f"{way}_spread"] = [round(min(held), 1), round(max(held), 1)]
    peaks = {way: median(run["peak_kib"] for run in runs[way]) / 1024 for way in ("few", "ktl")}
    figures |= {
        f"peak_mib_{count}": round(peaks[way]) for way, count in (("few", few), ("ktl", many))
    }
    figures["peak_growth"] = round(peaks["ktl"] / peaks["few"], 3)
    figures["size"] = [height, width]
    if asked.peer:
        best = max(median(rates[way]) for way in ("loop", "map"))
        figures["peer_peak_mib"] = round(median(r["peak_kib"] for r in runs["loop"]) / 1024)
        figures["ratio"] = round(median(rates["ktl"]) / best, 2)
        figures["wanted_ratio"] = WANTED_RATIO
    print(json.dumps(figures, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer", default=_own_peer())
    parser.add_argument("--take", help="a zip, taken in by this process")
    return parser.parse_args()


def _own_peer() -> str | None:
    from importlib.util import find_spec

    return sys.executable if find_spec("datasets") else None


def written(path: Path, count: int) -> Path:
    kept = [_jpeg(seed) for seed in range(DIFFERENT)]
    with ZipFile(path, "w") as archive:
        for number in range(count):
            archive.writestr(f"class_{number % CLASSES}/{number:06}.jpg", kept[number % DIFFERENT])
    return path


def _jpeg(seed: int) -> bytes:
    """Blurs of noise from coarse to fine, so that it takes about as many bytes as a photo."""
    rng = np.random.default_rng(seed)
    height, width = SIDES if seed % 4 else SIDES[::-1]
    values = np.zeros((height, width, 3))
    for cells, weight in ((4, 90), (16, 50), (64, 25), (240, 12)):
        coarse = Image.fromarray(rng.integers(0, 256, (cells, cells, 3)).astype(np.uint8))
        values += np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)) * (
            weight / 177
        )
    stream = BytesIO()
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def take(path: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="ktl-", dir=path.parent) as folder:
        start = time.perf_counter()
        limits = IntakeLimits(items=10**6, bytes=2**36)
        taken = ingest_upload(
            [RawFile(path.name, path)], DatasetSpec(name="jpegs"), limits, Path(folder)
        )
        seconds = time.perf_counter() - start
    peak = _peak_kib()
    height, width, _ = taken.schema.inputs.layout
    return {"seconds": seconds, "peak_kib": peak, "height": height, "width": width}


def _peak_kib() -> int:
    """Resident, of this process alone: what `getrusage` says begins with the parent's."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])


def _ktl(path: Path) -> dict[str, float]:
    return _said([sys.executable, "-m", "benchmarks.intake", "--take", str(path)])


def _peer(python: str, path: Path, folder: Path, how: tuple[int, int, int]) -> dict[str, float]:
    folder.mkdir()
    try:
        return _said([python, str(PEER), str(path), str(folder), *map(str, how)])
    finally:
        shutil.rmtree(folder)


def _said(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(
        Path(command[-1]).name if command[0] == sys.executable else "peer", found, file=sys.stderr
    )
    return found


if __name__ == "__main__":
    main()
