"""The client's types, from the API's description, and its modules without `await`."""

import keyword
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from app.main import create_app
from app.settings import Settings

CLIENT = Path("app/client/ktl")
# What becomes of a module that awaits where one waits as it stands
WITHOUT_AWAIT = (
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\(await (client[^\n]*?\))\)\.", r"\1."),
    (r"\bawait ", ""),
    (r"\bfrom anyio import sleep\b", "from time import sleep"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\ba(close|read|iter_bytes)\b", r"\1"),
    (r"\basync_events_of\b", "events_of"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\bAwaitable\[(\w+)\]", r"\1"),
    (r"\bAwaitable, ", ""),
    (r"\bAsync(?=[A-Z])", ""),
)
HEADER = "# Made from ktl/_async by docs/generate; changes belong there.\n"
STUB = '''# Made from the API's description by docs/generate.
"""Types of answers."""

from typing import Any, Literal

class Members(dict[str, Any]):
    """An object of the API's JSON, whose members are attributes too."""
'''
SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
OUTSIDE = re.compile(r"Listing_|HTTPValidation|Problem$|Body_")
OBJECTS = re.compile(r"(list\[)*(?!None\b|Literal\b)[A-Z]")  # hints of one, or of a list of them
NOTEBOOK = "    def _repr_html_(self) -> str: ...\n"


def files(root: Path) -> dict[Path, str]:
    """The client's generated files, as they ought to be."""
    made = {root / CLIENT / "answers.pyi": _formatted(root, _types(), "answers.pyi")}
    for path in sorted((root / CLIENT / "_async").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path.name == "__init__.py":
            text = '"""Requests that are waited for as one stands."""\n'
        for pattern, replacement in WITHOUT_AWAIT:
            text = re.sub(pattern, replacement, text)
        made[root / CLIENT / "_sync" / path.name] = _formatted(root, HEADER + text, path.name)
    return made


def description() -> dict[str, Any]:
    """OpenAPI of the whole service."""
    with tempfile.TemporaryDirectory() as folder:
        return create_app(Settings(data_dir=Path(folder))).openapi()


def _formatted(root: Path, text: str, name: str) -> str:
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format", "--quiet"]):
        text = subprocess.run(
            [
                sys.executable,
                "-m",
                "ruff",
                *command,
                "--stdin-filename",
                str(root / CLIENT / name),
                "-",
            ],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return text


def _types() -> str:
    api = description()
    schemas = api["components"]["schemas"]
    wanted = _reached(api, schemas)
    text = STUB
    for name in sorted(wanted):
        text += _class(name, schemas[name])
    return text


def _reached(api: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    """Schemas that an answer may have in it."""
    found: set[str] = set()
    waiting = [
        content.get("schema", {})
        for methods in api["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if status.startswith("2")
        for content in answer.get("content", {}).values()
    ]
    while waiting:
        for name in re.findall(r"#/components/schemas/([\w.-]+)", str(waiting.pop())):
            if name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return {name for name in found if not OUTSIDE.match(name)}


def _class(name: str, schema: dict[str, Any]) -> str:
    if "properties" not in schema:
        return f"\n{_named(name)} = {_hint(schema)}\n"
    said = str(schema.get("description", "")).strip().replace("\\", "")
    text = f"\nclass {_named(name)}(Members):\n"
    text += f'    """{_docstring(said)}"""\n' if said else ""
    for member, described in schema["properties"].items():
        taken = keyword.iskeyword(member) or member in dir(dict)
        text += f"    {member}{'_' if taken else ''}: {_hint(described)}\n"
    return text + (NOTEBOOK if name == "Report" else "")


def _docstring(text: str) -> str:
    first, *rest = textwrap.wrap(text.partition("\n\n")[0], 90)
    return "\n    ".join([first, *rest])


def _named(name: str) -> str:
    plain = re.sub(r"\W", "_", name)
    return re.sub(r"Out$", "", plain.replace("Out-Output", "").replace("_Output", ""))


def _hint(schema: dict[str, Any]) -> str:
    if options := schema.get("anyOf") or schema.get("oneOf"):
        hints = list(dict.fromkeys(map(_hint, options)))
        # Nobody tells which of several objects came, or of what objects a list is, but by members.
        if len([hint for hint in hints if OBJECTS.match(hint)]) > 1 or "Any" in hints:
            return "list[Any]" if all(hint.startswith("list[") for hint in hints) else "Any"
        return " | ".join(hints)
    match schema:
        case {"$ref": str(place)}:
            hint = _named(place.rpartition("/")[2])
        case {"const": value}:
            hint = f"Literal[{value!r}]"
        case {"enum": list(values)}:
            hint = f"Literal[{', '.join(map(repr, values))}]"
        case {"type": "array"}:
            hint = f"list[{_hint(schema.get('items', {}))}]"
        case {"type": "object", "additionalProperties": dict(more)}:
            hint = f"dict[str, {_hint(more)}]"
        case {"type": "object"}:
            hint = "dict[str, Any]"
        case _:
            hint = SIMPLE.get(str(schema.get("type")), "Any")
    return hint
