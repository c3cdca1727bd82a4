"""The command line, from its commands."""

from collections.abc import Iterator
from typing import Any

import typer

from app.cli.main import app
from docs.generate import markdown

INTRODUCTION = """# The command line

`ktl COMMAND --help` says the same. `KTL_URL` and `KTL_API_KEY` say which service is asked; most
commands take `--json` and then print for programs. Exit status: 0 done, 1 refused or failed, 2
not written right, 3 nobody answers.

"""


def page() -> str:
    text = INTRODUCTION
    for name, command in _commands("ktl", typer.main.get_command(app)):
        text += f"## `{name}`\n\n{markdown.cell(command.help or '')}\n\n"
        rows = [row for row in map(_row, command.params) if row]
        if rows:
            text += markdown.table(["", ""], rows) + "\n"
    return text


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if command.hidden:
        return
    inner = getattr(command, "commands", None)
    if inner is None or getattr(command, "invoke_without_command", False):
        yield name, command
    for word, each in sorted((inner or {}).items()):
        yield from _commands(f"{name} {word}", each)


def _row(parameter: Any) -> tuple[str, str] | None:
    names = "/".join([*parameter.opts, *parameter.secondary_opts])
    if names in {"--help", "-h"} or getattr(parameter, "hidden", False):
        return None
    shown = (parameter.metavar or names).upper()
    if names.startswith("-"):
        shown = f"{names} {parameter.metavar}" if parameter.metavar else names
    said = str(getattr(parameter, "help", "") or "")
    return f"`{shown}`", f"{said} {_default(parameter)}".strip()


def _default(parameter: Any) -> str:
    """What an option is where it is left out; nothing of one that then says nothing."""
    match parameter.default:
        case None | False | "" | [] | ():
            return ""
        case True:
            return f"Default: `{parameter.opts[0]}`."
        case value:
            return f"Default: `{value}`."
