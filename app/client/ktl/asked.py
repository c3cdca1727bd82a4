"""What a prediction asks, as the body of a request."""

import io
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any


def items(inputs: Any, top_k: int | None, raw_scores: bool) -> dict[str, Any]:
    """A request's body: an array as .npy, all else as JSON; a data frame as its rows."""
    request: dict[str, Any]
    if hasattr(inputs, "__array_interface__") and top_k is None:
        import numpy as np  # the array came from it, or from something that it understands

        body = io.BytesIO()
        np.save(body, np.asarray(inputs), allow_pickle=False)
        request = {"content": body.getvalue(), "headers": {"Content-Type": "application/x-npy"}}
    else:
        request = {"json": {"inputs": _listed(inputs)} | ({"top_k": top_k} if top_k else {})}
    return request | _params(raw_scores)


def pictures(files: Sequence[str | Path], top_k: int | None, raw_scores: bool) -> dict[str, Any]:
    """A request of files. Raises OSError for one that cannot be read."""
    parts = [("file", (Path(path).name, Path(path).read_bytes())) for path in files]
    request: dict[str, Any] = {"files": parts}
    if top_k:
        request["data"] = {"top_k": str(top_k)}
    return request | _params(raw_scores)


def one_item(item: Any, output: str | None) -> dict[str, Any]:
    """The body that asks for an explanation. Raises OSError for a file that cannot be read."""
    if isinstance(item, Path):
        item = {"b64": b64encode(item.read_bytes()).decode()}
    return {"inputs": [_plain(item)]} | ({} if output is None else {"output": output})


def _params(raw_scores: bool) -> dict[str, Any]:
    return {"params": {"raw_scores": "true"}} if raw_scores else {}


def _listed(inputs: Any) -> list[Any]:
    if hasattr(inputs, "to_dicts"):  # polars
        inputs = inputs.to_dicts()
    elif hasattr(inputs, "to_pylist"):  # pyarrow
        inputs = inputs.to_pylist()
    elif hasattr(inputs, "to_dict"):  # pandas
        inputs = inputs.to_dict("records")
    elif hasattr(inputs, "tolist"):
        return _as_list(inputs.tolist())
    if isinstance(inputs, (str, bytes, Mapping)) or not isinstance(inputs, Iterable):
        raise TypeError(
            f"expected several items, as a list, an array or a data frame; got one "
            f"{type(inputs).__name__}: put it in a list"
        )
    return [*map(_plain, inputs)]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _plain(item: Any) -> Any:
    """An item as JSON can have it: of a row numpy's numbers as Python's, and NaN as None."""
    if not isinstance(item, Mapping):
        return item.tolist() if hasattr(item, "tolist") else item
    values = {
        str(name): value.item() if hasattr(value, "dtype") and hasattr(value, "item") else value
        for name, value in item.items()
    }
    return {
        name: None if isinstance(value, float) and isnan(value) else value
        for name, value in values.items()
    }
