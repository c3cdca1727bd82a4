"""Findings of pydantic, said our way: where, what was expected, and what came.

Values are repeated where they are small: numbers, and a few words of text. Of what is called like a
secret, and of what cannot be printed, only the kind and the size are.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from app.errors import LONGEST_NAME, Finding, Invalid, token
from app.suggestions import choice_meant, field_meant, object_of

SECRET = re.compile(r"key|secret|token|passw|auth|credential", re.I)  # in a member's name
SHORT = 40  # characters of text that are repeated
SHOWN = 20  # findings in an answer, which a long array of wrong numbers would fill
CODES = {
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "union_tag_invalid": "unknown_choice",
    "union_tag_not_found": "missing_field",
    "literal_error": "unknown_choice",
    "enum": "unknown_choice",
}
EXPECTED = {
    "dict_type": "an object",
    "mapping_type": "an object",
    "tuple_type": "an array",
    "list_type": "an array",
    "missing": "a value",
    "union_tag_invalid": "one of {expected_tags}",
    "too_short": "at least {min_length} items",
    "too_long": "at most {max_length} items",
    "string_pattern_mismatch": "text that matches {pattern}",
}


def invalid_from(error: ValidationError, body: Any, at: str = "#") -> Invalid:
    """Problem with JSON that a route validates itself; `at` points to it in the request's body."""
    return invalid_of(
        [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)], body, at
    )


def invalid_of(errors: Sequence[Mapping[str, Any]], body: Any, at: str = "#") -> Invalid:
    """`errors` are pydantic's, each `loc` beginning with body, query, path, header or cookie."""
    kept = [error for error in errors if not _is_echo(error)] or errors
    found = list(dict.fromkeys(_finding(error, body, at) for error in kept))
    first = f"{found[0].pointer}: " if found[0].pointer else ""  # a parameter's detail names it
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    code = CODES.get(kept[0]["type"], "invalid_value")
    left_off = max(0, len(found) - SHOWN)
    detail = f"{first}{found[0].detail}{more}"
    return Invalid(code, detail, *found[:SHOWN], left_off=left_off)


def pointer(path: Sequence[str | int], at: str = "#") -> str:
    """A JSON pointer into the request's body, below `at`."""
    return "/".join([at, *(token(str(part)) for part in path)])


def _is_echo(error: Mapping[str, Any]) -> bool:
    """An array of enough items some of which are wrong is `too short after validation` as well."""
    wrong = error["input"]
    return (
        error["type"] == "too_short"
        and isinstance(wrong, Sequence)
        and len(wrong) >= error["ctx"]["min_length"]
    )


def _finding(error: Mapping[str, Any], body: Any, at: str) -> Finding:
    kind, where = error["type"], error["loc"]
    if where[0] != "body":
        name = str(where[1])
        got = "nothing" if kind == "missing" else _got(error["input"], name, is_text=True)
        return Finding(f"`{name}`: expected {_expected(error)}, got {got}", parameter=name)
    whole = body
    path, value = _follow(where[1:], body, kind)
    if kind.startswith("union_tag") and isinstance(value, Mapping):
        path.append(str(error["ctx"]["discriminator"]).strip("'"))
    place = pointer(path, at)
    name = f"`{path[-1][:LONGEST_NAME]}`" if path and isinstance(path[-1], str) else "an item"
    if kind == "extra_forbidden":
        meant = field_meant(str(path[-1]), _siblings(path, whole))
        return Finding(f"expected no field {name}: it is not known here{meant}", place)
    if kind == "value_error":
        return Finding(str(error["ctx"]["error"]), place)
    if kind in {"missing", "union_tag_not_found"} and path:
        return Finding(f"expected {name}, got nothing", place)
    got = "nothing" if kind == "missing" else _got(_received(error), place)
    meant = ""
    if CODES.get(kind) == "unknown_choice":
        meant = choice_meant(_received(error), _expected(error))
    return Finding(f"expected {_expected(error)}, got {got}{meant}", place)


def _siblings(path: Sequence[str | int], body: Any) -> list[str]:
    """Names beside the last one of the path, as the body has them."""
    for part in path[:-1]:
        body = body[part]
    return [name for name in body if name != path[-1]] if isinstance(body, Mapping) else []


def _follow(where: Sequence[str | int], body: Any, kind: str) -> tuple[list[str | int], Any]:
    """pydantic's location without the names of union branches, which are no part of the body; and
    what the body holds there."""
    path: list[str | int] = []
    for depth, part in enumerate(where, start=1):
        is_there = (isinstance(body, Mapping) and part in body) or (
            isinstance(body, list) and isinstance(part, int) and part < len(body)
        )
        if is_there:
            body = body[part]
            path.append(part)
        elif kind == "missing" and depth == len(where):
            path.append(part)
    return path, body


def _received(error: Mapping[str, Any]) -> Any:
    if error["type"] == "union_tag_invalid":
        return error["ctx"]["tag"]
    return error["input"]


def _expected(error: Mapping[str, Any]) -> str:
    if error["type"] in {"model_type", "model_attributes_type"}:
        return object_of(error.get("ctx", {}).get("class_name", ""))
    if error["type"] in EXPECTED:
        return EXPECTED[error["type"]].format(**error.get("ctx", {}))
    message = re.split(r", (?:got|unable) ", error["msg"])[0]
    message = re.sub(r"^\w+ should (?:be|have) ", "", message)
    return f"a number {message}" if message.startswith(("greater", "less")) else message


def _got(value: Any, place: str, is_text: bool = False) -> str:
    """What came, or its kind and size. Parameters are always text, so numbers look like it."""
    match value:
        case None | True | False:
            said = {None: "null", True: "true", False: "false"}[value]
        case int() | float():
            said = str(value) if abs(value) < 1e15 else "a number too large or not finite"
        case str() if is_text and re.fullmatch(r"-?\d{1,15}", value):
            said = value
        case str() if len(value) <= SHORT and value.isprintable() and not SECRET.search(place):
            said = f"'{value}'"
        case str():
            said = f"text of length {len(value)}"
        case list() | tuple():
            said = f"an array of length {len(value)}"
        case Mapping():
            said = "an object"
        case _:
            said = "something else"
    return said
