"""Columns that a few values, or the way they are written, keep from being numbers or dates: a
sentence that says so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from worker.intake.tables.dates import DATE_LIKE, LOOKED_AT, are_like
from worker.intake.tables.readings import Reading, numbers
from worker.intake.tables.text_counts import TextCounts

NEARLY = 0.5  # of the values are numbers: the others are told of
# (12.5), 12.5- and 1,10,100.50: what no code looks like
ODD_NUMBER = r"^(?:\([\d.,']+\)|[\d.,']*\d-|[+-]?\d[\d,]*,[\d,]*\.\d+|[+-]?\d[\d.]*\.[\d.]*,\d+)$"
SHOWING = 1_000  # of the different values, in which ways of writing show
LONGEST_SHOWN = 20


def nearly(name: str, tally: TextCounts, reading: Reading, taken: str) -> str | None:
    """Returns what to do about the values for which a column is `taken`, where these are few and
    the others numbers, or dates, or where all are written in ways that are not read; None where
    they are not."""
    texts, times = tally.texts, tally.counts
    found = numbers(pa.chunked_array([texts]), reading.decimal)
    is_number: NDArray[np.bool] = np.asarray(pc.is_valid(found).to_numpy())
    is_date = np.array([_is_date(text) for text in texts[:LOOKED_AT].to_pylist()], np.bool)
    what, fits = "numbers", is_number
    if is_date.mean() > NEARLY:
        what, fits = "dates", np.array([_is_date(text) for text in texts.to_pylist()], np.bool)
    values, readable = int(times.sum()), int(times[fits].sum())
    if readable == values or readable < NEARLY * values:
        return _otherwise(name, texts, times, is_number, taken)
    words: Sequence[str] = texts.filter(pa.array(~fits)).to_pylist()
    said = f" (`{words[0][:LONGEST_SHOWN]}`)" if len(words) == 1 else ""
    return (
        f"{readable} of the {values} values of the column `{name}` are {what}, "
        f"{values - readable} are not{said}: it is taken for {taken}. Where these mean that "
        "nothing is known, name them in the spec's `missing`; else mend them, or say the column's "
        "kind in `columns`"
    )


def _otherwise(
    name: str, texts: Any, times: NDArray[np.int64], is_number: NDArray[np.bool], taken: str
) -> str | None:
    """Returns what to do about numbers and dates that are written in several ways, or in one that
    is not read, as the first values show."""
    texts, times, is_number = texts[:SHOWING], times[:SHOWING], is_number[:SHOWING]
    most = NEARLY * int(times.sum())
    if times[np.array(are_like(texts), np.bool)].sum() > most:
        return (
            f"Most values of the column `{name}` look like dates, but no one form fits them all: "
            f"it is taken for {taken}. Write all of them in one form, as 2026-11-26"
        )
    is_odd = np.array(pc.match_substring_regex(texts, ODD_NUMBER).to_pylist(), np.bool)
    if is_odd.any() and times[is_odd | is_number].sum() > most:
        shown = texts[int(np.flatnonzero(is_odd)[0])].as_py()[:LONGEST_SHOWN]
        return (
            f"Most values of the column `{name}` look like numbers, but not all are written as one "
            f"that is read, as `{shown}`: it is taken for {taken}. Write them as 1234.5 and "
            '-1234.5; `csv`: {"decimal": …} in the spec says what the decimal sign is'
        )
    return None


def _is_date(text: str) -> bool:
    """Tells a date as ISO 8601 has it."""
    if not DATE_LIKE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
