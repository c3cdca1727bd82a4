"""What the reference leaves nobody to guess."""

import re
from typing import get_args

import pytest

from app.spec.strategy_catalogue import CATALOGUE, NEEDS, Need
from tests.docs.pages import ROOT

REFERENCE = ROOT / "docs" / "reference"
ROW = re.compile(r"^\| (`.+?`.*?) \| (.*) \|$", re.M)


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def test_every_body_says_what_its_members_are() -> None:
    bare = re.findall(r"^Body, `.*`: object$", page("api"), re.M)
    assert bare == []
    upload = page("api").partition("### DatasetSpec\n")[2].partition("\n### ")[0]
    for member in ("name", "target", "split", "columns", "test_fraction"):
        assert f"| `{member}`" in upload
    assert "default `0.2`" in upload
    assert "above 0.0" in upload or "above 0;" in upload


def test_what_is_no_refusal_is_not_called_one() -> None:
    assert not re.search(r"^Refuses with .*\b[123]\d\d\b", page("api"), re.M)


def test_lists_say_what_they_hold() -> None:
    assert "Listing_" not in page("api")
    assert "page of [JobOut](#jobout)" in page("api")


def test_every_setting_says_what_it_is() -> None:
    rows = ROW.findall(page("settings"))
    assert len(rows) > 30
    assert [name for name, rest in rows if not rest.rpartition("|")[2].strip()] == []


@pytest.mark.parametrize(
    ("command", "row"),
    [
        ("ktl jobs list", "| `--limit` | So many of the newest. Default: `20`. |"),
        ("ktl datasets add", "| `--wait/--no-wait` | Stay until it is ready. Default: `--wait`. |"),
        ("ktl report", "| `--html` | Write it as a page to this file. |"),
    ],
)
def test_options_say_what_they_are_when_left_out(command: str, row: str) -> None:
    section = page("cli").partition(f"## `{command}`\n")[2].partition("\n## ")[0]
    assert row in section


def test_every_need_of_a_strategy_is_told() -> None:
    assert {*NEEDS} == {*get_args(Need)}
    text = page("strategies")
    for need, said in NEEDS.items():
        assert f"| `{need}` | {said} |" in text
    beside = [entry for entry in CATALOGUE.values() if entry.beside_labels]
    assert text.count("Beside labelled target items it learns") == len(beside) > 5
