"""Small tables, made on the spot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from tests.intake.archives import take
from worker.intake.ingested import IngestedDataset
from worker.intake.raw import IntakeLimits

LIMITS = IntakeLimits(items=1000, bytes=2**20)


def csv_text(rows: int = 20, **columns: Sequence[object]) -> str:
    """Columns `height` (numbers), `city` and `label` (a, b), and those that are given instead or
    besides; None leaves one out."""
    held: dict[str, Any] = {
        "height": [f"{1.5 + place / 100:.2f}" for place in range(rows)],
        "city": [("Lima", "Oslo", "Rome")[place % 3] for place in range(rows)],
        "label": [("a", "b")[place % 2] for place in range(rows)],
        **columns,
    }
    held = {name: values for name, values in held.items() if values is not None}
    lines = [",".join(held), *(",".join(map(str, row)) for row in zip(*held.values(), strict=True))]
    return "".join(f"{line}\n" for line in lines)


def take_csv(
    folder: Path,
    text: str | bytes,
    name: str = "table.csv",
    limits: IntakeLimits = LIMITS,
    **spec: Any,
) -> IngestedDataset:
    """In a folder of its own."""
    inside = folder / f"take-{len(list(folder.iterdir()))}"
    inside.mkdir()
    content = text.encode() if isinstance(text, str) else text
    return take(inside, {name: content}, limits, **spec)


def x_of(taken: IngestedDataset, split: str = "train") -> np.ndarray:
    return np.load(taken.arrays[f"x_{split}"])


def y_of(taken: IngestedDataset, split: str = "train") -> np.ndarray:
    return np.load(taken.arrays[f"y_{split}"])


def rows_of(taken: IngestedDataset) -> pa.Table:
    with pa.OSFile(str(taken.arrays["rows"])) as file:
        return ipc.open_file(file).read_all()


def kinds_of(taken: IngestedDataset) -> dict[str, tuple[str, str]]:
    return {column.name: (column.kind, column.role) for column in taken.schema.columns}
