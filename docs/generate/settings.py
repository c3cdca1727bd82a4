"""Settings, each with what the line that makes it says of it."""

import inspect
import re

from pydantic_core import PydanticUndefined

from app.settings import Settings
from docs.generate import markdown

INTRODUCTION = """# Settings

Variables of the environment, for the service, its workers and the command line alike. Units
stand in the names.

"""
FIELD = re.compile(r"^    (\w+): ")


def page() -> str:
    comments = _comments()
    rows = [
        (
            f"`KTL_{name.upper()}`",
            "" if field.default in (None, "", PydanticUndefined) else f"`{field.default}`",
            comments.get(name, ""),
        )
        for name, field in Settings.model_fields.items()
    ]
    return INTRODUCTION + markdown.table(["variable", "default", ""], rows)


def _comments() -> dict[str, str]:
    """Comments of the source: those on a field's own lines, and those right above it."""
    found: dict[str, str] = {}
    above: list[str] = []
    name = ""
    for line in inspect.getsource(Settings).splitlines():
        code, _, said = line.partition("  # ")
        if line.strip().startswith("# "):
            above.append(line.strip()[2:])
            continue
        if field := FIELD.match(line):
            name = field[1]
            found[name] = " ".join([*above, said]).strip()
        elif said and name:
            found[name] = f"{found[name]} {said}".strip()
        above = above if not code.strip() and above else []
    return found
