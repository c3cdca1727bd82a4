"""Output of commands: tables for people, JSON for programs, refusals in full."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from app.cli.terminal import Terminal, harmless, harmless_json
from app.client import ApiError

PIPE_WIDTH = 240  # columns where no terminal tells: whole ids on one line

out = Terminal(width=None if sys.stdout and sys.stdout.isatty() else PIPE_WIDTH)
err = Terminal(stderr=True)


def plain(value: Any) -> Any:
    """Answers of the API as what `json` can write."""
    if hasattr(value, "model_dump"):  # a pydantic model; pydantic itself may not be loaded
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def print_json(value: Any) -> None:
    typer.echo(_written(value, indent=2))


def print_json_line(value: Any) -> None:
    typer.echo(_written(value))


def _written(value: Any, indent: int | None = None) -> str:
    """JSON in letters that standard output has, whatever its encoding."""
    is_narrow = sys.stdout is not None and not sys.stdout.encoding.lower().startswith("utf")
    return harmless_json(json.dumps(plain(value), indent=indent, ensure_ascii=is_narrow))


def print_text(text: str) -> None:
    """Lines as they came, for files and pipes."""
    typer.echo(harmless(text), nl=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Cells are shown as they are: what a user named is never read as markup."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if cell is None else Text(str(cell)) for cell in row))
    out.print(table)


def to_the_second(time: str) -> str:
    """A time of the API as tables have it: `2026-11-28 00:18:10`, UTC."""
    return time[:19].replace("T", " ")


def print_fields(fields: dict[str, object]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in fields.items():
        if value not in (None, "", [], {}):
            table.add_row(Text(name, style="bold"), Text(str(value)))
    out.print(table)


def print_problem(problem: ApiError) -> None:
    """Prints what is wrong, and each finding with its place, once: the detail repeats the first."""
    found = [_placed(finding) for finding in problem.errors]
    repeats = bool(found) and problem.errors[0]["detail"] in problem.detail
    head = f"{problem.status} {problem.code or problem.title}"
    if repeats and len(found) == 1:
        _say(f"{head}: {found[0]}")
    else:
        _say(f"{head}: {f'{len(found)} findings' if repeats else problem.detail}")
        for each in found:
            _say(f"  {each}")
    if left_off := problem.body.get("errors_left_off"):
        _say(f"  and {left_off} more")
    if problem.request_id and problem.status >= 500:
        _say(f"  request {problem.request_id}")


def _placed(finding: dict[str, str]) -> str:
    """`#/target/dataset: expected …`; a parameter's detail names it already."""
    where = finding.get("pointer")
    return f"{where}: {finding['detail']}" if where else finding["detail"]


def complain(message: str) -> None:
    _say(message)


def _say(line: str) -> None:
    err.print(Text(line), soft_wrap=True)
