"""tokenizer.json of a vocabulary of pieces with their logarithmic probabilities (Kudo, "Subword
regularization", ACL 2018), as XLM-RoBERTa cuts texts into pieces."""

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPACE = "▁"  # stands for a space in pieces
WIDE_TILDE, STAND_IN = "～", "\ufdd0"  # NFKC makes ~ of it, `nmt_nfkc` leaves it as it is


def tokenizer_json(
    pieces: Sequence[str],
    scores: NDArray[np.float32],
    begin: int,
    end: int,
    unknown: int,
    normalising: bytes | None = None,
) -> bytes:
    """Texts brought to their normal form, runs of spaces as one, a space at the start; the ids of
    `begin` and `end` around all.

    Args:
        normalising: SentencePiece's table of normal forms, where the vocabulary came with one;
            then spaces at both ends go away. None: NFKC and a few more rules, as `nmt_nfkc` has.
    """
    sides = {name: pieces[place] for name, place in (("begin", begin), ("end", end))}
    special = {
        pieces[place]: {"id": pieces[place], "ids": [place], "tokens": [pieces[place]]}
        for place in (begin, end)
    }
    text = {"Sequence": {"id": "A", "type_id": 0}}
    content: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                *_normalisers(normalising),
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            ],
        },
        "pre_tokenizer": {
            "type": "Metaspace",
            "replacement": SPACE,
            "prepend_scheme": "always",
            "split": True,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [_special(sides["begin"]), text, _special(sides["end"])],
            "pair": [text, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": special,
        },
        "decoder": None,
        "model": {
            "type": "Unigram",
            "unk_id": unknown,
            "vocab": [[piece, float(score)] for piece, score in zip(pieces, scores, strict=True)],
            "byte_fallback": False,
        },
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _normalisers(table: bytes | None) -> list[dict[str, Any]]:
    if table is None:
        return [
            _replaced(WIDE_TILDE, STAND_IN),
            {"type": "Nmt"},
            {"type": "NFKC"},
            _replaced(STAND_IN, WIDE_TILDE),
        ]
    return [
        {"type": "Precompiled", "precompiled_charsmap": b64encode(table).decode()},
        {"type": "Strip", "strip_left": True, "strip_right": True},
    ]


def _replaced(text: str, by: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"String": text}, "content": by}


def _special(piece: str) -> dict[str, Any]:
    return {"SpecialToken": {"id": piece, "type_id": 0}}
