"""Columns of text that would be numbers, or dates, but for a few fields; and numbers of too many
digits."""

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from worker.intake.tables.readings import Column, Reading, numbers

DATE_LIKE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}.*)?")
NEARLY = 0.5  # of the values are numbers: the others are told of
MOST_EXACT = 2**53  # whole numbers up to here are kept to the last digit
LOOKED_AT = 100  # values, before all are tried


def nearly(
    name: str, texts: pa.Array, times: NDArray[np.int64], reading: Reading, taken: str
) -> str | None:
    """What to do about the few values for which a column is `taken`, where the others are numbers,
    or dates; None where they are not.

    Args:
        texts: the different values.
        times: how often each stands in the column.
    """
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
    """As ISO 8601 has it."""
    if not DATE_LIKE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def are_merged(known: Column, found: Column, low: float, high: float) -> bool:
    """Whether whole numbers that the file tells apart are one as float64."""
    if max(abs(low), abs(high)) <= MOST_EXACT:
        return False
    told, kept = (pc.count_distinct(each, mode="only_valid").as_py() for each in (known, found))
    return bool(told > kept)
