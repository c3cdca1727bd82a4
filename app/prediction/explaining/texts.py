"""Texts without one of their words."""

import re
from bisect import bisect_right
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.inputs.text import CUT, TEXT, TextInputs, coded, is_cut
from app.inputs.text_rule import LOOKED_AT, normalised
from app.prediction.explaining.contract import Changes
from app.prediction.explaining.schemas import PieceContribution, TextContributions
from app.prediction.feeds import Part

# Scripts that put no spaces between words, and whose characters mean something each
SINGLE = (
    "\u3005-\u3007\u3040-\u3098\u309b-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
BEHIND = "\u3001\u3002\u3099\u309a\uff01\uff0c\uff1a\uff1b\uff1f"  # marks of what they follow
PIECE = re.compile(rf"[{SINGLE}][{BEHIND}]*|[^\s{SINGLE}]+")


class Piece(NamedTuple):
    start: int
    end: int


class OccludedText:
    """Each word of what the model sees; of more than `most`, neighbours together."""

    def __init__(self, inputs: TextInputs, codes: NDArray[Any], sent: Any, most: int) -> None:
        """
        Args:
            codes: (length,), what became of the text.
            sent: the text, as JSON has it.
        """
        self._length, self._is_cut = inputs.length, bool(is_cut(codes[None])[0])
        text: str = sent[TEXT] if isinstance(sent, dict) else sent
        self._seen = seen(text, inputs.length - 1) if self._is_cut else text[:LOOKED_AT]
        self._pieces = _spans(pieces_of(self._seen), most)

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def leaves_nothing(self) -> bool:
        return len(self._pieces) == 1

    def rows(self, which: range) -> Part:
        texts = [normalised(self._without(self._pieces[place])) for place in which]
        rows = coded(texts, self._length)
        if self._is_cut:  # the text goes on behind what is seen of it, with a word less too
            for row, text in zip(rows, texts, strict=True):
                row[min(len(text), self._length - 1)] = CUT
        return rows

    def told(self, changes: Changes) -> TextContributions:
        return TextContributions(
            pieces=[
                PieceContribution(
                    start=start, end=end, text=self._seen[start:end], contribution=change
                )
                for (start, end), change in zip(self._pieces, changes, strict=True)
            ]
        )

    def _without(self, piece: Piece) -> str:
        return self._seen[: piece.start] + self._seen[piece.end :]


def pieces_of(text: str) -> list[Piece]:
    """Words between white space, and characters of scripts that have none."""
    found = (Piece(*match.span()) for match in PIECE.finditer(text))
    return [piece for piece in found if normalised(text[piece.start : piece.end])]


def seen(text: str, most: int) -> str:
    """The beginning of a text as it was sent of which `most` characters are seen."""
    text = text[:LOOKED_AT]
    ends = range(len(text) + 1)
    return text[: bisect_right(ends, most, key=lambda end: len(normalised(text[:end]))) - 1]


def _spans(pieces: list[Piece], most: int) -> list[Piece]:
    """At most so many, of about equally many pieces each."""
    if len(pieces) <= most:
        return pieces
    groups = np.array_split(np.arange(len(pieces)), most)
    return [Piece(pieces[group[0]].start, pieces[group[-1]].end) for group in groups]
