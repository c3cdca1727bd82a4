"""Columns that a few values keep from being numbers or dates: a sentence that says so."""

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from worker.intake.tables.readings import Reading, numbers
from worker.intake.tables.text_counts import TextCounts

DATE_LIKE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}.*)?")
NEARLY = 0.5  # of the values are numbers: the others are told of
LOOKED_AT = 100  # values, before all are tried


def nearly(name: str, tally: TextCounts, reading: Reading, taken: str) -> str | None:
    """Returns what to do about the few values for which a column is `taken`, where the others are
    numbers, or dates; None where they are not."""
    texts, times = tally.texts, tally.counts
    found = numbers(pa.chunked_array([texts]), reading.decimal)
    is_number: NDArray[np.bool] = np.asarray(pc.is_valid(found).to_numpy())
    is_date = np.array([_is_date(text) for text in texts[:LOOKED_AT].to_pylist()], np.bool)
    what, fits = "numbers", is_number
    if is_date.mean() > NEARLY:
        what, fits = "dates", np.array([_is_date(text) for text in texts.to_pylist()], np.bool)
    values, readable = int(times.sum()), int(times[fits].sum())
    if readable == values or readable < NEARLY * values:
        return None
    words: Sequence[str] = texts.filter(pa.array(~fits)).to_pylist()
    said = f" (`{words[0][:20]}`)" if len(words) == 1 else ""
    return (
        f"{readable} of the {values} values of the column `{name}` are {what}, "
        f"{values - readable} are not{said}: it is taken for {taken}. Where these mean that "
        "nothing is known, name them in the spec's `missing`; else mend them, or say the column's "
        "kind in `columns`"
    )


def _is_date(text: str) -> bool:
    """Tells a date as ISO 8601 has it."""
    if not DATE_LIKE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
