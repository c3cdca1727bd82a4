"""A frozen encoder with the pieces alone that a job's texts need, for where it is served.

Most of an encoder's memory there is its tokenizer, and most of its pieces are of languages that a
model never meets.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from app.integrity import sha256_of
from worker.backbones.encoders.running import Encoder
from worker.packaging.frozen_encoder import FrozenEncoder
from worker.packaging.pruned_graph import prune_tables
from worker.packaging.pruned_tokenizer import CannotPrune, PrunedTokenizer, pruned

HELD = 16  # texts whose features are held against the whole encoder's
TOLERANCE = 1e-4  # of a feature


@dataclass(frozen=True)
class Pruned:
    """`told`: what the model's card says of it."""

    frozen: FrozenEncoder
    tokenizer: Path
    told: dict[str, Any]


def with_seen_pieces(
    whole: FrozenEncoder,
    tokenizer: Path,
    texts: Iterable[str],
    asked: Sequence[str],
    folder: Path,
) -> Pruned:
    """The encoder without the pieces that `texts` do not need; the whole one, and why, where that
    cannot be done or a text of these would be cut otherwise.

    Args:
        texts: that the model was trained on and validated with.
        asked: others, as the test's are: how many of them keep their tokens is told.
    """
    try:
        return _pruned(whole, tokenizer, list(texts), asked, folder)
    except CannotPrune as reason:
        return Pruned(whole, tokenizer, {"pieces": "whole", "reason": str(reason)})


def _pruned(
    whole: FrozenEncoder, tokenizer: Path, texts: list[str], asked: Sequence[str], folder: Path
) -> Pruned:
    encoder = whole.encoder
    used = {number for text in texts for number in encoder.tokeniser.ids_of(text)}
    small = pruned(tokenizer.read_bytes(), used, encoder.facts.pad_id)
    graph = onnx.load(whole.graph)
    prune_tables(graph, small.kept)
    target, cut = folder / "pruned.onnx", folder / "pruned_tokenizer.json"
    onnx.save(graph, target)
    cut.write_bytes(small.content)
    (pad_id,) = small.new_ids([encoder.facts.pad_id])
    facts = encoder.facts.model_copy(
        update={
            "revision": f"{encoder.facts.revision}, {len(small.kept)} of {small.of} pieces"[:200],
            "pad_id": pad_id,
            "model_sha256": sha256_of(target),
            "tokenizer_sha256": sha256(small.content).hexdigest(),
        }
    )
    made = Encoder.load(target.read_bytes(), small.content, facts)
    changed = sum(not same for same in _same(encoder, made, small, texts))
    if changed:
        raise CannotPrune(f"expected the tokens of all texts to stay, got others of {changed}")
    held = texts[:HELD]
    if held and np.abs(encoder.features(held) - made.features(held)).max() > TOLERANCE:
        raise CannotPrune("expected the same features of the same tokens, got others")
    told = {
        "pieces": len(small.kept),
        "of": small.of,
        "graph_bytes": [whole.graph.stat().st_size, target.stat().st_size],
        "tokenizer_bytes": [tokenizer.stat().st_size, len(small.content)],
        "texts": len(texts),
        "test_texts": len(asked),
        "test_texts_with_the_same_tokens": sum(_same(encoder, made, small, asked)),
    }
    return Pruned(FrozenEncoder(target, made), cut, told)


def _same(
    whole: Encoder, made: Encoder, small: PrunedTokenizer, texts: Sequence[str]
) -> list[bool]:
    """Of each text whether its tokens are the whole encoder's."""
    kept = small.kept
    return [
        kept[made.tokeniser.ids_of(text)].tolist() == whole.tokeniser.ids_of(text) for text in texts
    ]
