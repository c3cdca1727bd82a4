"""The HTTP API, from its OpenAPI description."""

import re
from typing import Any

from docs.generate import markdown
from docs.generate.client import OUTSIDE, description

INTRODUCTION = """# The HTTP API

Every route, and every object that goes in and out. The running service shows the same at
`/docs`, and as OpenAPI at `/openapi.json`. Errors are `application/problem+json` with a `code`,
a `detail` and, for each finding, a `pointer` to what is wrong. A page of a list is an object of
`data`, `has_more` and `next`, which is the `after` of the page that follows.

"""
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def page() -> str:
    api = description()
    objects = api["components"]["schemas"]
    text = INTRODUCTION
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            text += _route(method.upper(), path, _by_name(operation, objects))
    text += "## Objects\n\n"
    for name, schema in sorted(objects.items()):
        if not OUTSIDE.match(name) or name == "Problem":
            text += _object(name, schema)
    return _linked(text)


def _by_name(part: Any, objects: dict[str, Any]) -> Any:
    """The same description with names in place of objects that stand in it as they are; these are
    added to `objects`."""
    if isinstance(part, list):
        return [_by_name(each, objects) for each in part]
    if not isinstance(part, dict):
        return part
    found = {name: _by_name(each, objects) for name, each in part.items()}
    match found:
        case {"type": "object", "properties": dict(), "title": str(title)}:
            objects.setdefault(title, found)
            said = {"description": found["description"]} if "description" in found else {}
            return {"$ref": f"#/components/schemas/{title}", **said}
    return found


def _route(method: str, path: str, operation: dict[str, Any]) -> str:
    text = f"## `{method} {path}`\n\n"
    if said := operation.get("description"):
        text += f"{markdown.prose(said)}\n\n"
    if parameters := operation.get("parameters"):
        text += markdown.table(
            ["parameter", "in", "type", ""],
            [
                (
                    f"`{each['name']}`",
                    each["in"],
                    markdown.kind(each["schema"]),
                    _said({**each["schema"], "description": each.get("description", "")}),
                )
                for each in parameters
            ],
        )
        text += "\n"
    body = operation.get("requestBody", {}).get("content", {})
    for form, content in body.items():
        members = content.get("schema", {}).get("properties")
        said = f"\n\n{_members(content['schema'])}" if members else f" {_content(content)}\n"
        text += f"Body, `{form}`:{said}\n"
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            forms = [
                f"`{form}`, {_content(content)}"
                for form, content in answer.get("content", {}).items()
            ]
            text += f"Answers {status}{': ' if forms else ''}{'; '.join(forms)}.\n\n"
        elif status.startswith("3"):
            text += f"Answers {status}: {answer['description']}.\n\n"
    refused = [status for status in operation["responses"] if status[0] in "45"]
    return text + (f"Refuses with {', '.join(refused)}.\n\n" if refused else "")


def _content(content: dict[str, Any]) -> str:
    return markdown.kind(content.get("schema", {}))


def _object(name: str, schema: dict[str, Any]) -> str:
    text = f"### {name}\n\n"
    if said := schema.get("description"):
        text += f"{markdown.cell(said)}\n\n"
    if not schema.get("properties"):
        return text + f"{markdown.kind(schema)}\n\n"
    return text + _members(schema) + "\n"


def _members(schema: dict[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = [
        (
            f"`{member}`{'' if member in needed else ' (may be left out)'}",
            markdown.kind(each),
            _said(each),
        )
        for member, each in schema["properties"].items()
    ]
    return markdown.table(["member", "type", ""], rows)


def _said(schema: dict[str, Any]) -> str:
    """What is said of a value: its meaning, its bounds, its default."""
    said = [str(schema["description"])] if schema.get("description") else []
    for bound, word in BOUNDS.items():
        if bound in schema:
            value = schema[bound]
            said.append(f"{word} {value:g}" if isinstance(value, float) else f"{word} {value}")
    if schema.get("default") not in (None, "", [], {}):
        said.append(f"default `{schema['default']}`")
    return "; ".join(said)


def _linked(text: str) -> str:
    """Leaves no link to an object that has no heading."""
    known = {markdown.anchor(name) for name in re.findall(r"^### (.+)$", text, re.M)}
    return re.sub(
        r"\[([\w.-]+)\]\(#([\w-]+)\)",
        lambda found: found[0] if found[2] in known else found[1],
        text,
    )
