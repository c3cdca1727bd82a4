"""Answers that are no success, in the OpenAPI document: most by rule, the rest by route.

An answer of 500 is always a mistake of ours, so it stands nowhere; it is a problem as well.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from app.problems import MEDIA_TYPE, schemas

SAID = {
    304: "If-None-Match names what would be answered",
    400: "The body cannot be read",
    401: "No key, or an unknown one",
    403: "The key lacks a scope; or, while no key is asked for, a web page sent it",
    404: "No such thing in this project",
    408: "The body did not come in time",
    409: "The thing is in a state that does not allow it",
    412: "If-Match names another version, or If-None-Match this one",
    413: "The body is too large",
    415: "The body is of another media type, or does not say of which",
    422: "Readable and wrong: `errors` say where",
    429: "Too many at once: Retry-After says when to come again",
    507: "The project holds as much as it may: delete something",
    503: "Try again later: Retry-After says when",
}
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_OF_FASTAPI = ("HTTPValidationError", "ValidationError")  # ours are problems


def can_answer(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Entries for a route's `responses`: what follows from no rule of `complete`."""
    return {status: _answer(status) for status in statuses}


def complete(document: dict[str, Any]) -> None:
    """Adds the problems to every operation, and their schema."""
    for item in document["paths"].values():
        for operation in item.values():
            found = operation["responses"]
            found |= {str(status): _answer(status) for status in _by_rule(operation)}
            operation["responses"] = dict(sorted(found.items()))
    known = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _OF_FASTAPI:
        known.pop(name, None)
    known.update(schemas())


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema without references, for where it stands in no component."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def resolved(node: Any) -> Any:
        if isinstance(node, list):
            return [resolved(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            part = parts[node["$ref"].removeprefix("#/$defs/")]
            return resolved({**part, **{name: node[name] for name in node if name != "$ref"}})
        return {name: resolved(each) for name, each in node.items()}

    found: dict[str, Any] = resolved(schema)
    return found


def _by_rule(operation: dict[str, Any]) -> Iterator[int]:
    yield from (403, 422)  # app.access.loopback; a query that is not known
    if "security" in operation:
        yield from (401, 503)  # the database knows the keys
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        yield 404
    if "requestBody" in operation:
        yield from (400, 408, 413, 415)


def _answer(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {"description": SAID[status]}
    return described if status == 304 else {**described, "content": _PROBLEM}
