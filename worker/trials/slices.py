"""Values of each test item in the columns of evaluation.slices, as it is stored beside the
item's prediction: the report is made from that, whatever becomes of the dataset."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.datasets.stored import array_path
from app.inputs.columns import category_text
from app.storage import Storage
from app.tables.datasets import DatasetRow
from worker.datasets.stored_rows import StoredRows
from worker.evaluation.predictions import Predictions
from worker.evaluation.slices import OTHER
from worker.intake.tables.readings import Column

MOST_VALUES = 20  # of a column; further ones, the rarest, are one together
QUARTERED_FROM = 10  # different numbers or dates: fewer are values themselves
LONGEST = 60  # characters of a value
EXACT = 1e15  # whole numbers up to here are told to the last digit
MISSING = "(missing)"

Codes = NDArray[np.int64]


def slices_of_test(storage: Storage, dataset: DatasetRow, columns: Sequence[str]) -> Predictions:
    """Three arrays, as worker.evaluation.evidence.TrialResult has them, of the dataset's test
    items in their order; none where `columns` are none."""
    if not columns:
        return {}
    rows = StoredRows(array_path(storage, dataset, "rows"))
    first = Schema.model_validate(dataset.schema).splits["train"]  # test rows stand behind them
    found = [coded(rows.column(name).slice(first)) for name in columns]
    return {
        "slice_codes": np.stack([codes for codes, _ in found], axis=1).astype(np.int16),
        "slice_values": np.array([value for _, values in found for value in values], np.str_),
        "slice_sizes": np.array([len(values) for _, values in found], np.int64),
    }


def coded(column: Column) -> tuple[Codes, list[str]]:
    """(n,), each item's place among the values, and these, of a column of numbers, moments, flags
    or text. Numbers and moments of which there are many become quarters."""
    if pa.types.is_timestamp(column.type) or _is_number(column.type):
        known = pc.count_distinct(column, mode="only_valid").as_py()
        if known > QUARTERED_FROM:
            return _quarters(column)
    dictionary = column.combine_chunks().dictionary_encode()
    codes: Codes = pc.fill_null(dictionary.indices, -1).to_numpy(zero_copy_only=False)
    names = [_shown(value) for value in dictionary.dictionary.to_pylist()]
    return _commonest(codes.astype(np.int64), _told_apart(names))


def _told_apart(names: list[str]) -> list[str]:
    """Numbers those of names that another value has too, as long texts that begin alike, or that
    stand for more than a value."""
    times = Counter([OTHER, MISSING])
    for place, name in enumerate(names):
        times[name] += 1
        if times[name] > 1:
            names[place] = f"{name} ({times[name]})"
    return names


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _quarters(column: Column) -> tuple[Codes, list[str]]:
    """Cuts by the quartiles of these items; equal numbers stay together."""
    is_moment = pa.types.is_timestamp(column.type)
    micro = pc.cast(column, pa.int64()) if is_moment else column
    plain = pc.cast(micro, pa.float64(), safe=False)
    numbers: NDArray[np.float64] = pc.fill_null(plain, np.nan).to_numpy()
    known = numbers[~np.isnan(numbers)]
    edges = np.unique(np.quantile(known, (0.25, 0.5, 0.75), method="inverted_cdf"))
    edges = edges[edges < known.max()]
    said = [_moment(edge) for edge in edges] if is_moment else _numbers(edges)
    names = [f"up to {said[0]}"] if said else ["all"]
    names += [f"over {low} to {high}" for low, high in pairwise(said)]
    names += [f"over {said[-1]}"] if said else []
    codes = np.searchsorted(edges, numbers, side="left").astype(np.int64)
    is_missing = np.isnan(numbers)
    if is_missing.any():
        codes[is_missing] = len(names)
        names.append(MISSING)
    return codes, names


def _numbers(edges: NDArray[np.float64]) -> list[str]:
    """Whole numbers as they are, others with six digits, or as many as tell them apart."""
    if (edges == np.rint(edges)).all() and np.abs(edges).max(initial=0) < EXACT:
        return [f"{edge:.0f}" for edge in edges]
    said = (([f"{edge:.{digits}g}" for edge in edges]) for digits in range(6, 18))
    return next(each for each in said if len(set(each)) == len(edges))


def _commonest(codes: Codes, names: list[str]) -> tuple[Codes, list[str]]:
    """The values by falling number of items, what is missing last, the rest as one."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = sorted(range(len(names)), key=lambda place: (-counts[place], names[place]))
    kept, left = order[:MOST_VALUES], order[MOST_VALUES:]
    values = [names[place] for place in kept] + ([OTHER] if left else [])
    place_of = np.full(len(names) + 1, len(kept))
    place_of[kept] = np.arange(len(kept))
    if (codes < 0).any():
        place_of[-1] = len(values)  # the code -1
        values.append(MISSING)
    return place_of[codes], values


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    if isinstance(value, int | float):
        try:
            return category_text(value)
        except ValueError:
            return f"{value:.6g}"
    return str(value)


def _moment(microseconds: float) -> str:
    """The day, and the time where it is not midnight."""
    moment = np.datetime64(int(microseconds), "us").astype("datetime64[s]")
    day = moment.astype("datetime64[D]")
    return str(day) if day == moment else str(moment)
