"""The one place where a body becomes JSON. What Python reads and databases, answers or terminals
cannot hold is refused here, wherever in the body it stands.

`json.loads` alone takes half of a surrogate pair, NUL (which PostgreSQL stores in no text), NaN,
Infinity, 1e999, integers of any size, and UTF-8 that is none.
"""

import json
from collections.abc import Iterator
from itertools import islice
from math import inf, isfinite, nan
from typing import Any

from app.errors import BadRequest, Finding, Invalid
from app.findings import SHOWN, pointer

LEAST, MOST = -(2**63), 2**63 - 1
MOST_DIGITS = 20  # an integer of more is too large in any case, and slow to read
EXACT = 2**53  # up to here a float tells one integer from the next
DEEPEST = 64  # levels of arrays and objects
FAULTY_NUMBER = "expected a finite number of 64 bits, got NaN or one that is too large"

Path = tuple[str | int, ...]


def decode(body: bytes, what: str = "the body", at: str = "#") -> Any:
    """The value of a JSON text; `at` points to it in the request's body.

    Raises BadRequest where it is no JSON, and Invalid, with pointers, where it holds what no text
    or number may.
    """
    try:
        value = _DECODER.decode(body.decode())
    except json.JSONDecodeError as error:
        detail = f"expected JSON in {what}, got {error.msg} at character {error.pos}"
        raise BadRequest("invalid_json", detail) from error
    except UnicodeDecodeError as error:
        raise BadRequest("invalid_json", f"expected UTF-8 in {what}, got other bytes") from error
    except RecursionError as error:
        raise BadRequest("invalid_json", _too_deep(what)) from error
    found = tuple(islice(_wrong(value, what, at), SHOWN))
    if found:
        raise Invalid("invalid_value", f"{found[0].pointer}: {found[0].detail}", *found)
    return value


def text_fault(text: str) -> str | None:
    """Says in words what of a text cannot be stored."""
    if "\0" in text:
        return "expected text without the character NUL"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "expected text of whole characters, got half of a surrogate pair"
    return None


def _wrong(document: Any, what: str, at: str) -> Iterator[Finding]:
    """Walks with a stack of its own: a nesting must not exhaust Python's."""
    stack: list[tuple[Path, Any]] = []
    if isinstance(document, dict | list):
        stack.append(((), document))
    elif fault := _fault(document):
        yield Finding(fault, at)
    while stack:
        path, value = stack.pop()
        if len(path) == DEEPEST:
            yield Finding(_too_deep(what), pointer(path, at))
            continue
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(name, str) and (fault := text_fault(name)):
                yield Finding(f"a name: {fault}", pointer(path, at))
            elif isinstance(item, dict | list):
                stack.append(((*path, name), item))
            elif fault := _fault(item):
                yield Finding(fault, pointer((*path, name), at))


def _fault(value: Any) -> str | None:
    match value:
        case str():
            return text_fault(value)
        case int() if not LEAST <= value <= MOST:
            return FAULTY_NUMBER
        case float() if not isfinite(value):
            return FAULTY_NUMBER
        case _:
            return None


def _too_deep(what: str) -> str:
    return f"expected at most {DEEPEST} levels of nesting in {what}, got more"


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= MOST_DIGITS else inf


def _number(digits: str) -> float:
    """JSON has one kind of number, and to JSON Schema 5.0 is an integer."""
    number = float(digits)
    return int(number) if number.is_integer() and abs(number) <= EXACT else number


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_number, parse_constant=lambda _: nan)
