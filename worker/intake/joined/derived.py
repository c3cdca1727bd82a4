"""ChosenItems items of several parts, and chosen columns of theirs, as an upload of such items."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from app.datasets.derivation import Derivation
from app.inputs.image import IMAGE, ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from worker.intake.chosen_items import ChosenItems
from worker.intake.derived_table import as_before, records_of, spec_of
from worker.intake.ingested import IngestedDataset
from worker.intake.joined.prepare import ingest_joined
from worker.intake.joined.upload import JoinedUpload, PartPictures
from worker.intake.raw import IntakeLimits

BLOCK = 1024  # pictures that are copied at once


def ingest_derived_joined(
    derivation: Derivation,
    chosen: ChosenItems,
    arrays: Mapping[str, Path],
    limits: IntakeLimits,
    workdir: Path,
) -> IngestedDataset:
    """Parts stay what they are in the origin; what is learnt of values is learnt of what is left.
    Raises WorkFailure `dataset_invalid`."""
    inputs = derivation.origin_schema.inputs
    assert isinstance(inputs, JoinedInputs)
    kept, records = records_of(derivation, chosen, arrays, workdir)
    spec = spec_of(derivation, kept, records)
    ranges = {p.inputs.value_range for p in inputs.parts if isinstance(p.inputs, ImageInputs)}
    lengths = [p.inputs.length for p in inputs.parts if isinstance(p.inputs, TextInputs)]
    spec = spec.model_copy(
        update={
            "value_range": next(iter(ranges)) if len(ranges) == 1 else None,
            "max_characters": max(lengths, default=None),
        }
    )
    rows = np.concatenate([*chosen.rows.values()])
    upload = JoinedUpload(
        records,
        {
            part.name: _pictures(part, arrays, rows, workdir)
            for part in inputs.parts
            if isinstance(part.inputs, ImageInputs)
        },
        {
            part.name: tuple(column.name for column in part.inputs.columns)
            for part in inputs.parts
            if isinstance(part.inputs, TableInputs)
        },
        tuple(column.name for column in kept if column.kind == "image"),
    )
    return as_before(ingest_joined(upload, spec, limits, workdir), derivation.origin_schema)


def _pictures(
    part: JoinedPart, arrays: Mapping[str, Path], rows: np.ndarray, workdir: Path
) -> PartPictures:
    """Pictures of the chosen items, by their places in both splits together."""
    both, flags = (
        [np.load(arrays[f"x_{split}.{part.name}.{tensor}"], mmap_mode="r") for split in SPLITS]
        for tensor in (IMAGE, "present")
    )
    first, shape = len(both[0]), both[0].shape[1:]
    target = workdir / f"chosen_{part.name}"
    values = np.memmap(target, both[0].dtype, "w+", shape=(len(rows), *shape))
    for start in range(0, len(rows), BLOCK):
        some = rows[start : start + BLOCK]
        for array, inside, offset in ((both[0], some < first, 0), (both[1], some >= first, first)):
            values[start : start + BLOCK][inside] = array[some[inside] - offset]
    return PartPictures(values, np.concatenate(flags)[rows] != 0)


SPLITS = ("train", "test")
