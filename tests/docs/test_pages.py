"""What pages say can be done: links lead somewhere, code can be read, commands are there."""

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from app.cli.main import app
from tests.docs.pages import PAGES, ROOT, TUTORIALS, blocks

LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)#\s]+)(?:#[\w-]+)?\)")
COMMAND = re.compile(r"`(ktl [^`]+)`")
HAND_WRITTEN = [page for page in PAGES if page.parent.name not in {"decisions", "reference"}]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *PAGES], ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_the_first_page_leads_to_all_that_is_written_by_hand() -> None:
    index = ROOT / "docs" / "index.md"
    reached = {(index.parent / link).resolve() for link in LINK.findall(index.read_text())}
    assert [named(page) for page in HAND_WRITTEN if page not in {*reached, index}] == []


@pytest.mark.parametrize("page", HAND_WRITTEN, ids=named)
def test_code_can_be_read(page: Path) -> None:
    for code in blocks(page, "python"):
        ast.parse(code)


def test_tutorials_are_python_but_for_the_start() -> None:
    """Blocks of another language would not run in test_tutorials.py."""
    assert len(TUTORIALS) == 5
    for page in TUTORIALS:
        assert blocks(page, "python")
        assert {*blocks(page, "sh")} <= {"make up\n"}
        text = page.read_text(encoding="utf-8")
        assert {*re.findall(r"^```(\w+)$", text, re.M)} <= {"python", "sh"}


def commands(page: Path) -> list[str]:
    """What a page asks to be typed, in blocks and between backticks."""
    typed = [line.strip() for code in blocks(page, "sh") for line in code.splitlines()]
    found = [line.partition("ktl ")[2] for line in typed if re.match(r"(\w+=\S+ )?ktl ", line)]
    quoted = COMMAND.findall(page.read_text(encoding="utf-8"))
    return [*found, *(each.removeprefix("ktl ") for each in quoted)]


@pytest.mark.parametrize("page", [ROOT / "README.md", *HAND_WRITTEN], ids=named)
def test_commands_and_their_options_are_there(page: Path) -> None:
    for typed in commands(page):
        words = shlex.split(typed.partition("#")[0])
        command: Any = typer.main.get_command(app)
        while words and (inner := getattr(command, "commands", {}).get(words[0])):
            command = inner
            words.pop(0)
        known = {"--help", "-h", "--version", "-V"}
        of = getattr(command, "commands", {}).get("look", command)
        known |= {name for each in of.params for name in (*each.opts, *each.secondary_opts)}
        is_group = bool(getattr(command, "commands", {}))
        unknown = [word for word in words if re.match(r"-{1,2}[a-z]", word) and word not in known]
        assert not unknown, f"{named(page)}: ktl {typed}: no {unknown}"
        assert not (command is typer.main.get_command(app) and words and is_group) or all(
            word.startswith("-") or word.isupper() for word in words
        ), f"{named(page)}: no command `ktl {typed}`"
