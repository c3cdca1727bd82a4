"""What a prediction asks, as the body of a request."""

import io
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from math import isnan
from pathlib import Path
from typing import Any

from .frames import is_frame, rows_of

MISSING = {"NAType", "NaTType"}  # what pandas has for a value that is not there
TEXTS = {"O", "S", "T", "U"}  # kinds of numpy's types


def items(inputs: Any, top_k: int | None, raw_scores: bool) -> dict[str, Any]:
    """A request's body: an array of numbers as .npy, all else as JSON; a data frame as its rows.
    Raises TypeError for what is no list of items, and ValueError for columns of one name."""
    request: dict[str, Any]
    if hasattr(inputs, "__array_interface__") and top_k is None and not _holds_texts(inputs):
        import numpy as np  # the array came from it, or from something that it understands

        body = io.BytesIO()
        np.save(body, np.asarray(inputs), allow_pickle=False)
        request = {"content": body.getvalue(), "headers": {"Content-Type": "application/x-npy"}}
    else:
        request = {
            "json": {"inputs": _listed(inputs)} | ({} if top_k is None else {"top_k": top_k})
        }
    return request | _params(raw_scores)


def pictures(files: Sequence[str | Path], top_k: int | None, raw_scores: bool) -> dict[str, Any]:
    """A request of files. Raises OSError for one that cannot be read."""
    parts = [("file", (Path(path).name, Path(path).read_bytes())) for path in files]
    request: dict[str, Any] = {"files": parts}
    if top_k is not None:
        request["data"] = {"top_k": str(top_k)}
    return request | _params(raw_scores)


def one_item(item: Any, output: str | None) -> dict[str, Any]:
    """The body that asks for an explanation. Raises OSError for a file that cannot be read, and
    TypeError for a data frame of several rows."""
    if is_frame(item):
        rows = rows_of(item)
        if len(rows) != 1:
            raise TypeError(f"expected one item, got a data frame of {len(rows)} rows")
        (item,) = rows
    return {"inputs": [_plain(item)]} | ({} if output is None else {"output": output})


def _params(raw_scores: bool) -> dict[str, Any]:
    return {"params": {"raw_scores": "true"}} if raw_scores else {}


def _holds_texts(array: Any) -> bool:
    """Tells whether an array holds texts or Python's objects, which no service reads of .npy."""
    return getattr(getattr(array, "dtype", None), "kind", "") in TEXTS


def _listed(inputs: Any) -> list[Any]:
    if is_frame(inputs):
        inputs = rows_of(inputs)
    elif hasattr(inputs, "to_pylist"):  # a column of pyarrow
        inputs = inputs.to_pylist()
    elif hasattr(inputs, "tolist"):  # an array, or a column of pandas
        values = inputs.tolist()
        inputs = values if isinstance(values, list) else [values]
    if isinstance(inputs, (str, bytes, Mapping)) or not isinstance(inputs, Iterable):
        raise TypeError(
            f"expected several items, as a list, an array or a data frame; got one "
            f"{type(inputs).__name__}: put it in a list"
        )
    return [*map(_plain, inputs)]


def _plain(item: Any) -> Any:
    """An item, or a part of one, as JSON can have it: a row of pandas as its columns, the file of a
    picture as its bytes."""
    if isinstance(item, Path):
        return {"b64": b64encode(item.read_bytes()).decode()}
    if hasattr(item, "to_dict") and not isinstance(item, Mapping):
        item = item.to_dict()
    if isinstance(item, Mapping):
        return {str(name): _plain(value) for name, value in item.items()}
    return _value(item)


def _value(value: Any) -> Any:
    """One value as JSON can have it: numpy's numbers as Python's, moments as ISO 8601 has them, and
    what is missing (NaN, NaT, NA) as None."""
    if type(value).__name__ in MISSING or (isinstance(value, float) and isnan(value)):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":  # numpy's moments
        return None if str(value) == "NaT" else str(value)
    return _value(value.tolist()) if hasattr(value, "tolist") else value
