"""The HTTP API, from its OpenAPI description."""

import re
from typing import Any

from docs.generate import markdown
from docs.generate.client import OUTSIDE, description

INTRODUCTION = """# The HTTP API

Every route, and every object that goes in and out. The running service shows the same at
`/docs`, and as OpenAPI at `/openapi.json`. Errors are `application/problem+json` with a `code`,
a `detail` and, for each finding, a `pointer` to what is wrong.

"""


def page() -> str:
    api = description()
    text = INTRODUCTION
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            text += _route(method.upper(), path, operation)
    text += "## Objects\n\n"
    for name, schema in sorted(api["components"]["schemas"].items()):
        if not OUTSIDE.match(name) or name == "Problem":
            text += _object(name, schema)
    return _linked(text)


def _route(method: str, path: str, operation: dict[str, Any]) -> str:
    text = f"## `{method} {path}`\n\n"
    if said := operation.get("description"):
        text += f"{markdown.cell(said)}\n\n"
    if parameters := operation.get("parameters"):
        text += markdown.table(
            ["parameter", "in", "type", ""],
            [
                (
                    f"`{each['name']}`",
                    each["in"],
                    markdown.kind(each["schema"]),
                    each.get("description", ""),
                )
                for each in parameters
            ],
        )
        text += "\n"
    body = operation.get("requestBody", {}).get("content", {})
    text += "".join(f"Body, `{form}`: {_content(content)}\n\n" for form, content in body.items())
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            forms = [
                f"`{form}`, {_content(content)}"
                for form, content in answer.get("content", {}).items()
            ]
            text += f"Answers {status}{': ' if forms else ''}{'; '.join(forms)}.\n\n"
    refused = [status for status in operation["responses"] if not status.startswith("2")]
    return text + (f"Refuses with {', '.join(refused)}.\n\n" if refused else "")


def _content(content: dict[str, Any]) -> str:
    return markdown.kind(content.get("schema", {}))


def _object(name: str, schema: dict[str, Any]) -> str:
    text = f"### {name}\n\n"
    if said := schema.get("description"):
        text += f"{markdown.cell(said)}\n\n"
    if not (members := schema.get("properties")):
        return text + f"{markdown.kind(schema)}\n\n"
    needed = schema.get("required", [])
    rows = [
        (
            f"`{member}`{'' if member in needed else ' (may be left out)'}",
            markdown.kind(each),
            _said(each),
        )
        for member, each in members.items()
    ]
    return text + markdown.table(["member", "type", ""], rows) + "\n"


def _said(schema: dict[str, Any]) -> str:
    said = str(schema.get("description", ""))
    if schema.get("default") not in (None, "", [], {}):
        said += f"{'; ' if said else ''}default `{schema['default']}`"
    return said


def _linked(text: str) -> str:
    """Leaves no link to an object that has no heading."""
    known = {markdown.anchor(name) for name in re.findall(r"^### (.+)$", text, re.M)}
    return re.sub(
        r"\[([\w.-]+)\]\(#([\w-]+)\)",
        lambda found: found[0] if found[2] in known else found[1],
        text,
    )
