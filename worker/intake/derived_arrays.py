"""Chosen items of stored arrays as an upload of arrays."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy
from numpy.typing import NDArray
from pyarrow import ipc

from app.datasets.derivation import Derivation
from app.datasets.schemas import DatasetSpec
from worker.datasets.stored_rows import StoredRows
from worker.intake.chosen_items import ChosenItems
from worker.intake.images import CHUNK_VALUES
from worker.intake.ingested import IngestedDataset, content_hash
from worker.intake.ingestion import ingest_arrays
from worker.intake.raw import IntakeLimits, RawArrays
from worker.intake.splits import Rows

Array = NDArray[Any]


def ingest_derived_arrays(
    derivation: Derivation,
    chosen: ChosenItems,
    arrays: Mapping[str, Path],
    limits: IntakeLimits,
    workdir: Path,
) -> IngestedDataset:
    """Ingests chosen arrays, with the columns that the items came with, where they did."""
    schema, wanted = derivation.origin_schema, derivation.selection
    both = [_opened(arrays[f"x_{split}"]) for split in ("train", "test")]
    x = {
        split: _of_rows(both, each, workdir / f"chosen_x_{split}.npy")
        for split, each in chosen.rows.items()
    }
    raw = RawArrays(
        x["train"],
        chosen.labels("train"),
        x["test"],
        chosen.labels("test"),
        np.array(chosen.names) if chosen.names else None,
    )
    spec = DatasetSpec(
        name=derivation.name,
        modality=schema.inputs.modality,
        task=schema.task.kind,
        unit=schema.task.unit,
        value_range=derivation.value_range,
        missing_label=chosen.missing_label,
    )
    taken = ingest_arrays(raw, spec, limits, workdir)
    if "rows" not in arrays:
        return taken
    kept = [
        column.model_copy(update={"role": wanted.role_of(column)})
        for column in schema.columns
        if wanted.keeps(column)
    ]
    if not kept:
        return taken
    stored = {
        **taken.arrays,
        "rows": store_chosen(
            StoredRows(arrays["rows"]),
            [column.name for column in kept],
            [chosen.rows["train"], chosen.rows["test"]],
            workdir / "rows.arrow",
            compression="zstd",
        ),
    }
    schema = taken.schema.model_copy(update={"columns": tuple(kept)})
    hashed = content_hash(schema, {name: stored[name] for name in stored if name != "sketch"})
    return replace(taken, schema=schema, arrays=stored, content_hash=hashed)


def store_chosen(
    stored: StoredRows,
    names: list[str],
    chosen: list[Rows],
    target: Path,
    compression: str | None = None,
) -> Path:
    """Writes some columns of some rows as an Arrow IPC file, a batch at a time: those of the first
    of `chosen`, then those of the second. Returns `target`."""
    schema = pa.schema([stored.schema.field(name) for name in names])
    options = ipc.IpcWriteOptions(compression=compression)
    with (
        pa.OSFile(str(target), "wb") as output,
        ipc.new_file(output, schema, options=options) as writer,
    ):
        for rows in chosen:
            start = 0
            for batch in stored.batches():
                stop = start + batch.num_rows
                low, high = np.searchsorted(rows, (start, stop))
                if high > low:
                    picked = batch.select(names).take(pa.array(rows[low:high] - start))
                    writer.write_batch(picked.cast(schema))
                start = stop
    return target


def _opened(path: Path) -> Array:
    array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _of_rows(both: list[Array], rows: Rows, target: Path) -> Array:
    """The chosen items of both splits together, mapped from a file; a few megabytes of them in
    memory at a time. A whole split is what it was."""
    first = len(both[0])
    for array, start in zip(both, (0, first), strict=True):
        if np.array_equal(rows, start + np.arange(len(array))):
            return array
    shape = both[0].shape[1:]
    with target.open("wb") as output:
        header = {
            "descr": npy.dtype_to_descr(both[0].dtype),
            "fortran_order": False,
            "shape": (len(rows), *shape),
        }
        npy.write_array_header_1_0(output, header)
        step = max(1, CHUNK_VALUES // int(np.prod(shape)))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            for chunk in (both[0][some[some < first]], both[1][some[some >= first] - first]):
                output.write(np.ascontiguousarray(chunk).data)
    return _opened(target)
