"""How many numbers a network sees of the columns of a table, which depends on how many there are.

Up to PIECEWISE_COLUMNS numbers and dates are each written piecewise linearly, in BINS parts. Of
more each is one number, where its value lies among the quantiles of training rows: 5,000 columns of
a few hundred rows would be 85,000 numbers, and a first layer of ten million weights.
"""

from collections.abc import Iterable, Sequence

from app.inputs.columns.contract import ColumnContract
from app.inputs.columns.measured import BINS, MeasuredColumn

PIECEWISE_COLUMNS = 1_000
RANKED_WIDTH = 2  # the place among the quantiles, and whether it is missing


def are_ranked(columns: Iterable[ColumnContract]) -> bool:
    """Tells whether each number and date is seen as one number."""
    return sum(isinstance(column, MeasuredColumn) for column in columns) > PIECEWISE_COLUMNS


def numbers_seen(columns: Sequence[ColumnContract]) -> int:
    """Counts the numbers that a network sees of a row."""
    spared = BINS + 1 - RANKED_WIDTH if are_ranked(columns) else 0
    return sum(
        column.width - (spared if isinstance(column, MeasuredColumn) else 0) for column in columns
    )
