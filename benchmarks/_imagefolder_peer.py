"""What benchmarks/intake.py compares with, run by a Python that has Hugging Face's `datasets`.

A zip of pictures -> one array of pixels on disk, by `load_dataset("imagefolder")` and `map`:

    python _imagefolder_peer.py ZIP FOLDER HEIGHT WIDTH PROCESSES
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from PIL import Image


def main() -> None:
    archive, folder, height, width, processes = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]
    size, several = (int(width), int(height)), int(processes)
    datasets.disable_progress_bars()
    start = time.perf_counter()
    held = datasets.load_dataset(
        "imagefolder",
        data_files={"train": archive},
        drop_labels=True,  # 5.2.0 takes the folder that the zip stands in for a class, and fails
        cache_dir=str(folder),
        split="train",
    )
    loaded = time.perf_counter()
    target = folder / "pixels"
    shape = (len(held), size[1], size[0], 3)
    np.memmap(target, np.uint8, "w+", shape=shape)

    def store(item: dict[str, Any], place: int) -> None:
        pixels = np.memmap(target, np.uint8, "r+", shape=shape)
        picture = item["image"].convert("RGB").resize(size, Image.Resampling.BILINEAR)
        pixels[place] = np.asarray(picture)

    if several == 1:
        pixels = np.memmap(target, np.uint8, "r+", shape=shape)
        for place, item in enumerate(held):
            picture = item["image"].convert("RGB").resize(size, Image.Resampling.BILINEAR)
            pixels[place] = np.asarray(picture)
    else:
        held.map(store, with_indices=True, num_proc=several)
    done = time.perf_counter()
    peak = _peak_kib()
    print(json.dumps({"seconds": done - start, "loading": loaded - start, "peak_kib": peak}))


def _peak_kib() -> int:
    """Resident, of this process alone: what `getrusage` says begins with the parent's."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    main()
