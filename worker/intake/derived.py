"""A stored dataset -> another one, of some of its rows, classes or columns.

What is left goes the way of an upload (worker/intake/take_in.py), so that ranges, duplicates and
the profile are of it alone; what the origin's labels are for is not decided again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from app.datasets.catalogue import PREFIX
from app.datasets.derivation import Derivation
from app.datasets.schemas import DatasetSpec, Schema
from app.datasets.selection import Selection
from app.settings import Settings
from worker.intake.catalogue import take_in_catalogued
from worker.intake.chosen import check_left, choose
from worker.intake.images import CHUNK_VALUES
from worker.intake.raw import Limits, RawArrays
from worker.intake.splits import Rows
from worker.intake.take_in import TakenIn, prepare

Array = NDArray[Any]
SHOWN_NAMES = 10


def take_in_derived(
    derivation: Derivation, arrays: Mapping[str, Path], settings: Settings, workdir: Path
) -> TakenIn:
    """`arrays`: the origin's stored ones; none where it is the catalogue's and not stored. Raises
    WorkFailure: `dataset_invalid` with a pointer into what was asked."""
    if not arrays:
        folder = workdir / "origin"
        folder.mkdir()
        origin = take_in_catalogued(derivation.origin.removeprefix(PREFIX), settings, folder)
        derivation = derivation.model_copy(update={"origin_schema": origin.schema})
        arrays = origin.arrays
    taken = _of_arrays(derivation, arrays, Limits.of(settings), workdir)
    return _told(taken, derivation)


def _of_arrays(
    derivation: Derivation, arrays: Mapping[str, Path], limits: Limits, workdir: Path
) -> TakenIn:
    schema, wanted = derivation.origin_schema, derivation.selection
    y = {split: _opened(arrays[f"y_{split}"]) for split in schema.splits}
    rows = {split: np.arange(len(held)) for split, held in y.items()}
    chosen = choose(schema.task, y, rows, wanted.classes)
    check_left(chosen, schema.task, "#/classes")
    if wanted.rows is not None:
        chosen = chosen.drawn(schema.task, wanted.rows, wanted.seed)
    x = {
        split: _of_rows(arrays[f"x_{split}"], each, workdir / f"chosen_x_{split}.npy")
        for split, each in chosen.rows.items()
    }
    raw = RawArrays(
        x["train"],
        chosen.labels["train"],
        x["test"],
        chosen.labels["test"],
        None if chosen.names is None or not chosen.names else np.array(chosen.names),
    )
    spec = DatasetSpec(
        name=derivation.name,
        modality=schema.inputs.modality,
        task=schema.task.kind,
        unit=schema.task.unit,
        value_range=derivation.value_range,
        missing_label=None,
    )
    return prepare(raw, spec, limits, workdir)


def _opened(path: Path) -> Array:
    array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _of_rows(path: Path, rows: Rows, target: Path) -> Array:
    """The chosen rows, mapped from a file; a few megabytes of them in memory at a time."""
    array = _opened(path)
    if len(rows) == len(array):
        return array
    with target.open("wb") as output:
        header = {
            "descr": npy.dtype_to_descr(array.dtype),
            "fortran_order": False,
            "shape": (len(rows), *array.shape[1:]),
        }
        npy.write_array_header_1_0(output, header)
        step = max(1, CHUNK_VALUES // int(np.prod(array.shape[1:])))
        for start in range(0, len(rows), step):
            output.write(np.ascontiguousarray(array[rows[start : start + step]]).data)
    return _opened(target)


def _told(taken: TakenIn, derivation: Derivation) -> TakenIn:
    """With what was derived in the profile."""
    derived = {
        "from": derivation.origin,
        "name": derivation.origin_name,
        **derivation.selection.model_dump(mode="json", exclude_none=True),
        "sentence": _sentence(taken.schema, derivation),
    }
    task = {
        "kind": taken.schema.task.kind,
        "said": False,
        "reason": f"those of {derivation.origin} are",
    }
    return replace(taken, profile={**taken.profile, "derived": derived, "task": task})


def _sentence(schema: Schema, derivation: Derivation) -> str:
    was, wanted = derivation.origin_schema.splits, derivation.selection
    left = " and ".join(
        f"{schema.splits[split]} of {was[split]} {word} items"
        for split, word in (("train", "training"), ("test", "test"))
    )
    origin = f"{derivation.origin_name} ({derivation.origin})"
    return f"Derived from {origin}, {'; '.join(_choices(wanted))}: {left}."


def _choices(wanted: Selection) -> list[str]:
    said = [
        f"`{column}` is {_listed([_shown(value) for value in values])}"
        for column, values in (wanted.where or {}).items()
    ]
    if wanted.classes is not None:
        said.append(f"the classes {_listed(wanted.classes)}")
    if wanted.columns is not None:
        said.append(f"the columns {_listed(wanted.columns)}")
    if wanted.rows is not None:
        said.append(f"{wanted.rows} rows drawn with the seed {wanted.seed}")
    return said


def _listed(names: Sequence[str]) -> str:
    shown, more = [f"`{name}`" for name in names[:SHOWN_NAMES]], len(names) - SHOWN_NAMES
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _shown(value: object) -> str:
    return "missing" if value is None else str(value)
