"""Small uploads, made on the spot."""

import gzip
import io
import struct
from pathlib import Path
from typing import Any

import numpy as np

from app.datasets.schemas import DatasetSpec
from worker.intake.ingestion import IngestedDataset, ingest_upload
from worker.intake.raw import IntakeLimits, RawFile

LIMITS = IntakeLimits(items=1000, bytes=2**20)
IDX_TYPES = {"uint8": 0x08, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def pictures(count: int, side: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side)).astype(np.uint8)


def arrays(**changed: Any) -> dict[str, Any]:
    """Twelve training and six test pictures of three classes; `None` leaves an array out."""
    held = {
        "x_train": pictures(12),
        "y_train": np.arange(12) % 3,
        "x_test": pictures(6, seed=1),
        "y_test": np.arange(6) % 3,
        **changed,
    }
    return {name: array for name, array in held.items() if array is not None}


def npz_bytes(**held: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **held)
    return stream.getvalue()


def idx_bytes(array: np.ndarray) -> bytes:
    header = struct.pack(">HBB", 0, IDX_TYPES[array.dtype.name], array.ndim)
    big_endian = array.astype(array.dtype.newbyteorder(">"))
    return header + struct.pack(f">{array.ndim}I", *array.shape) + big_endian.tobytes()


def idx_files(packed: bool = True) -> dict[str, bytes]:
    held = arrays()
    suffix, pack = (".gz", gzip.compress) if packed else ("", bytes)
    return {
        f"train-images-idx3-ubyte{suffix}": pack(idx_bytes(held["x_train"])),
        f"train-labels-idx1-ubyte{suffix}": pack(idx_bytes(held["y_train"].astype(np.uint8))),
        f"t10k-images-idx3-ubyte{suffix}": pack(idx_bytes(held["x_test"])),
        f"t10k-labels-idx1-ubyte{suffix}": pack(idx_bytes(held["y_test"].astype(np.uint8))),
    }


def take(
    folder: Path, files: dict[str, bytes], limits: IntakeLimits = LIMITS, **spec: Any
) -> IngestedDataset:
    """`spec`: the members of DatasetSpec besides its name."""
    raw = []
    for number, (name, content) in enumerate(files.items()):
        path = folder / f"upload-{number}"
        path.write_bytes(content)
        raw.append(RawFile(name, path))
    return ingest_upload(raw, DatasetSpec(name="letters", **spec), limits, folder)


def take_npz(folder: Path, *, spec: dict[str, Any] | None = None, **held: Any) -> IngestedDataset:
    """One .npz of `arrays(**held)`, in a folder of its own."""
    inside = folder / f"take-{len(list(folder.iterdir()))}"
    inside.mkdir()
    return take(inside, {"a.npz": npz_bytes(**arrays(**held))}, **(spec or {}))
