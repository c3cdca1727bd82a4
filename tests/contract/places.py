"""Where in a JSON body a value may stand: every field that the OpenAPI document names."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

Step = str | int
Place = tuple[tuple[Step, ...], tuple[tuple[tuple[Step, ...], Any], ...]]
DEEPEST = 6


def places(schema: dict[str, Any], document: dict[str, Any]) -> list[Place]:
    """Paths, each with what must stand elsewhere so that the path is looked at: `backbone` is
    `mlp` where `hidden` is asked for."""
    return list(dict.fromkeys(_places(schema, document, (), ())))


def _places(
    schema: dict[str, Any],
    document: dict[str, Any],
    path: tuple[Step, ...],
    beside: tuple[tuple[tuple[Step, ...], Any], ...],
) -> Iterator[Place]:
    yield path, beside
    if len(path) >= DEEPEST:
        return
    for one in _alternatives(schema, document):
        named = one.get("properties", {})
        fixed = [((*path, name), of["const"]) for name, of in named.items() if "const" in of]
        for name, inner in named.items():
            yield from _places(inner, document, (*path, name), (*beside, *fixed))
        for inner in [one["items"]] if "items" in one else one.get("prefixItems", []):
            yield from _places(inner, document, (*path, 0), beside)
        if isinstance(one.get("additionalProperties"), dict):
            yield from _places(one["additionalProperties"], document, (*path, "any"), beside)


def _alternatives(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"].get(name) or document["$defs"][name]
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices is None:
        yield schema
    for choice in choices or ():
        yield from _alternatives(choice, document)


def put(body: Any, path: tuple[Step, ...], value: Any) -> Any:
    """The body with this value at the path; what is missing on the way is made."""
    if not path:
        return value
    step, *rest = path
    changed = deepcopy(body)
    if isinstance(step, int):
        changed = changed if isinstance(changed, list) and changed else [None]
        changed[step] = put(changed[step], tuple(rest), value)
        return changed
    changed = changed if isinstance(changed, dict) else {}
    changed[step] = put(changed.get(step), tuple(rest), value)
    return changed
