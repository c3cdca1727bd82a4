"""Texts as an encoder's tokens, alike where features are computed and where models are served.

No other file imports `tokenizers`, and this one only when a text has to be cut: a process that
serves no encoder never loads it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.inputs.encoders import EncoderIdentity

IDS, MASK = "input_ids", "attention_mask"
Ints = NDArray[np.int64]
LONGEST_SAID = 200  # characters of what the package says


class Tokens(NamedTuple):
    """`ids` and `mask` (n, tokens) int64: as many as the longest of the texts has, the mask 0 where
    a text has ended."""

    ids: Ints
    mask: Ints


class CannotCut(Exception):
    """A tokenizer fails at a text. The message says how."""


class Tokeniser:
    """A tokenizer.json and the encoder that it belongs to. May be used by many threads at once."""

    def __init__(self, content: bytes, encoder: EncoderIdentity) -> None:
        """Raises ValueError where it is no tokenizer, ModuleNotFoundError without `tokenizers`."""
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_str(content.decode())
        except Exception as error:  # the package knows no class of its own
            raise ValueError(f"expected a tokenizer.json, got: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(encoder.max_tokens)
        self._encoder = encoder

    @property
    def size(self) -> int:
        """Pieces, the special ones among them."""
        return int(self._tokenizer.get_vocab_size())

    @property
    def last(self) -> int:
        """The largest id: vocabularies may have gaps."""
        return max(self._tokenizer.get_vocab().values(), default=0)

    def ids_of(self, text: str) -> list[int]:
        """Pieces of a text, at most `max_tokens`, the special ones at both ends among them. Raises
        CannotCut."""
        try:
            found: list[int] = self._tokenizer.encode(self._encoder.prefix + text).ids
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # what the package panics with is no Exception
            raise CannotCut(str(error)[:LONGEST_SAID]) from error
        return found

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """n >= 1 texts, one by one: the package's own batches start threads of their own. Raises
        CannotCut."""
        return padded([self.ids_of(text) for text in texts], self._encoder.pad_id)


def padded(ids: Sequence[Sequence[int]], pad_id: int) -> Tokens:
    """Lists of ids as one array, `pad_id` behind the shorter ones."""
    longest = max(map(len, ids))
    rows = np.full((len(ids), longest), pad_id, np.int64)
    mask = np.zeros_like(rows)
    for row, kept, own in zip(rows, mask, ids, strict=True):
        row[: len(own)], kept[: len(own)] = own, 1
    return Tokens(rows, mask)
