"""Text of nested arrays of numbers -> their values, flat.

By simdjson where it is installed (the extra `fast`): it copies the numbers into one buffer, with no
Python object for each. orjson decides about all that simdjson refuses (integers beyond 64 bits are
numbers to the one and not to the other), so both ways take and refuse the same texts.
"""

import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

try:
    import simdjson
except ImportError:
    simdjson = None  # type: ignore[assignment]

Numbers = npt.NDArray[np.float64]

KEPT_PARSER_BYTES = 2**20
_local = threading.local()  # a parser serves one document at a time


def numbers_in(text: bytes) -> Numbers | None:
    """Values in their order; None where the text is no JSON, or its arrays are not equally long.

    Args:
        text: an array with nothing but arrays and numbers in it: who calls has looked that no other
            letters stand there.
    """
    found = None if simdjson is None else _by_simdjson(text)
    return _by_orjson(text) if found is None else found


def _by_simdjson(text: bytes) -> Numbers | None:
    try:
        return np.frombuffer(_parser(len(text)).parse(text).as_buffer(of_type="d"))
    except (ValueError, TypeError, RuntimeError):  # whatever it has against the text
        return None


def _by_orjson(text: bytes) -> Numbers | None:
    try:
        return np.array(orjson.loads(text), dtype=np.float64).reshape(-1)
    except ValueError:
        return None


def _parser(size: int) -> Any:
    """A parser keeps the memory that its largest document took: ten times the text."""
    if size > KEPT_PARSER_BYTES:
        return simdjson.Parser()
    if not hasattr(_local, "parser"):
        _local.parser = simdjson.Parser()
    return _local.parser
