"""Texts that an encoder's tokenizer may fail at, or be slow with, tried before it is taken."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from app.inputs.tokens import CannotCut
from worker.backbones.encoders.refusing import refused
from worker.backbones.encoders.running import Encoder

TOKENIZER = "tokenizer.json"
PLAIN = "a good meal"
LONGEST = 16_384  # characters
LONG = tuple(letter * LONGEST for letter in ("a", " ", "1", "!", "a ", "好"))  # for slow patterns
MOST_LETTERS = 64  # of a tokenizer's patterns
CHARACTERS = re.compile(r"\\u([0-9a-fA-F]{4})|(.)", re.S)
# Which tokenizers may not know: a code point that is none, one of private use, a family of emoji,
# marks alone, a direction alone.
STRANGE = ("\U0010ffff", "\ue000\ue001", "👩\u200d👩\u200d👧\u200d👦", "\u0301\u0302", "\u200f")


def check_any_text(encoder: Encoder, tokenizer: bytes) -> None:
    """Holds an encoder, whose tokenizer.json has this content, against texts of all kinds: whatever
    is a text to the service has to have features, as there is nobody to ask later.

    Raises WorkFailure `encoder_refused`.
    """
    try:
        for text in (*STRANGE, *LONG, *texts_of_patterns(tokenizer)):
            encoder.tokeniser.ids_of(text)
    except CannotCut as error:
        raise refused(
            f"expected a {TOKENIZER} that cuts any text, got one that fails ({error}): where it "
            "does not know a character give it a piece for these, as [UNK] or <unk>; where a "
            "pattern has too much to try, a pattern without repeats of repeats"
        ) from error
    if not np.isfinite(encoder.run(encoder.tokeniser([*STRANGE, PLAIN]))).all():
        raise refused(
            f"expected finite features of any text, got others of characters that {TOKENIZER} "
            "passes over: give it a piece for these, as [UNK] or <unk>, or pieces around each text"
        )


def texts_of_patterns(tokenizer: bytes) -> list[str]:
    """Long texts of what a tokenizer's patterns speak of: of each character, and of all in their
    order. A pattern may be slow, or give up, at these alone."""
    spoken = "".join(_patterns(json.loads(tokenizer)))
    letters = [
        chr(int(coded, 16)) if coded else letter for coded, letter in CHARACTERS.findall(spoken)
    ]
    own = [*dict.fromkeys(letters)][:MOST_LETTERS]
    return [text * (LONGEST // len(text)) for text in (*own, "".join(letters[:LONGEST])) if text]


def _patterns(part: Any) -> Iterator[str]:
    """Regular expressions within a part of a tokenizer.json."""
    if isinstance(part, dict):
        if isinstance(pattern := part.get("Regex"), str):
            yield pattern
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _patterns(each)
