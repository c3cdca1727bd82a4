"""A terminal obeys what is printed on it, so text from elsewhere is shown without what it obeys:
escape sequences begin with control characters, and bidi marks turn what stands beside a name."""

import json
from collections.abc import Iterable
from typing import Any
from unicodedata import category

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
HARMLESS = frozenset("\n\t\u200c\u200d")  # joiners are part of words and of emoji


def harmless(text: str) -> str:
    """The text without the characters that a terminal obeys instead of showing them."""
    return text if text.isprintable() else "".join(each for each in text if not _is_obeyed(each))


def harmless_json(text: str) -> str:
    """JSON that says the same, with these characters as `\\u….`"""
    if text.isprintable():
        return text
    return "".join(json.dumps(each)[1:-1] if _is_obeyed(each) else each for each in text)


class Terminal(Console):
    """Console whose lines are text: neither markup nor obeyed. Styles are ours alone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=harmless(segment.text))


def _is_obeyed(character: str) -> bool:
    return category(character) in OBEYED and character not in HARMLESS
