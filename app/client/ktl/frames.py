"""Data frames of pandas, polars and pyarrow, told by what they can do: no such package is imported
for them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any


def is_frame(content: Any) -> bool:
    """Tells a data frame from one column or row of it, whose labels are attributes in pandas."""
    return hasattr(type(content), "columns")


def check_frame(frame: Any) -> None:
    """Raises TypeError for a frame that has not been computed, and ValueError for columns of one
    name: of these a row as JSON would hold the last alone."""
    if hasattr(frame, "collect"):
        raise TypeError("expected a data frame with its rows, got a lazy one: send .collect()")
    counts = Counter(map(str, getattr(frame, "column_names", frame.columns)))
    if twins := [name for name, count in counts.items() if count > 1]:
        raise ValueError(f"expected columns of different names, got several {', '.join(twins)}")


def rows_of(frame: Any) -> list[Mapping[Any, Any]]:
    """A data frame's rows by the names of its columns. Raises TypeError and ValueError."""
    check_frame(frame)
    found: list[Mapping[Any, Any]]
    if hasattr(frame, "to_dicts"):  # polars
        found = frame.to_dicts()
    elif hasattr(frame, "to_pylist"):  # pyarrow
        found = frame.to_pylist()
    else:  # pandas
        found = frame.to_dict("records")
    return found
