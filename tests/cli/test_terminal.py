"""What a terminal would obey never reaches it, whatever the service answers."""

import io
import json

import httpx
import pytest
from rich.text import Text

from app.cli import progress
from app.cli.terminal import Terminal, harmless, harmless_json
from app.client import Event
from tests.cli.conftest import Ktl
from tests.client.running_api import RunningApi
from tests.jobs.page.examples import job

EVIL = "a\x1b]0;title\x07b\x9b1mc\u202ed\u2066e\u2028f\u200eg\U000e0041h\x7f"
PLAIN = "a]0;titleb1mcdefgh"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (EVIL, PLAIN),
        ("half \ud800", "half "),
        ("日本 é\n\tשלום \N{FAMILY}\u200d x\u00a0y", "日本 é\n\tשלום \N{FAMILY}\u200d x\u00a0y"),
    ],
)
def test_text_is_shown_without_what_is_obeyed(text: str, shown: str) -> None:
    assert harmless(text) == shown
    said = harmless_json(json.dumps({text: [text]}, ensure_ascii=False))
    assert json.loads(said) == {text: [text]}
    assert harmless(said) == said


def test_whatever_is_printed_is_text() -> None:
    written = io.StringIO()
    terminal = Terminal(file=written, force_terminal=True, width=200, color_system=None)
    terminal.print(f"[red]:smile: {EVIL}")
    terminal.print(Text(EVIL))
    assert written.getvalue() == f"[red]:smile: {PLAIN}\n{PLAIN}\n"


def test_a_bar_that_moves_shows_no_more() -> None:
    written = io.StringIO()
    terminal = Terminal(file=written, force_terminal=True, width=200)
    epoch = {"arm": f"[red]{EVIL}", "seed": 0, "phase": "p", "epoch": 1, "split": "train"}
    with progress.shown(terminal) as show:
        show(job(status="running", stage="training"), Event("1", "epoch", epoch))
    assert f"[red]{PLAIN[:12]}" in written.getvalue()
    assert "\x1b]0" not in written.getvalue()


def test_names_that_users_gave(ktl: Ktl, api: RunningApi) -> None:
    made = {"name": EVIL, "from": "catalog:digits"}
    assert httpx.post(f"{api.url}/v1/datasets", json=made).status_code == 202
    listed = ktl("datasets", "list").out
    assert PLAIN[:12] in listed
    assert harmless(listed) == listed
    said = ktl("datasets", "list", "--json").out
    assert json.loads(said)[0]["name"] == EVIL
    assert harmless(said) == said
