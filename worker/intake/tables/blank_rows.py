"""Rows without any value, as spreadsheets leave them below a table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from worker.intake.raw import refuse
from worker.intake.tables.readings import Reading
from worker.intake.tables.records import FileRows

NAMED = 3


def without_blank_rows(part: FileRows, workdir: Path) -> FileRows:
    """Raises WorkFailure `dataset_invalid` where there is no other row."""
    blank = np.ones(part.rows, np.bool_)
    for name in part.names:
        blank &= np.asarray(pc.is_null(Reading().known(part.column(name))).to_numpy())
        if not blank.any():
            return part
    kept = np.flatnonzero(~blank)
    if not len(kept):
        refuse("empty_split", f"expected rows with values in `{part.name}`, got blank ones alone")
    lost = np.flatnonzero(blank)
    places = ", ".join(part.place(int(row)) for row in lost[:NAMED])
    more = ", …" if len(lost) > NAMED else ""
    rows = "1 row" if len(lost) == 1 else f"{len(lost)} rows"
    sentence = f"Left out of `{part.name}`, without any value: {rows} ({places}{more})."
    return replace(part.kept(kept, workdir), found=(*part.found, sentence))
