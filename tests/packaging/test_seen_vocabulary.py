"""An encoder without the pieces that no text at hand needs, against the whole one."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.encoders import tiny
from worker.backbones.encoders.folder import checked
from worker.backbones.encoders.running import Encoder
from worker.backbones.encoders.tokenizer_json import tokenizer_json
from worker.packaging.frozen_encoder import FrozenEncoder
from worker.packaging.pruned_graph import prune_tables
from worker.packaging.pruned_tokenizer import CannotPrune, pruned
from worker.packaging.seen_vocabulary import with_seen_pieces

pytest.importorskip("tokenizers", reason="needs the extra `text`")
WORDS = ("▁good", "▁bad", "oo", "ood", "▁never", "▁seen", "zz")


@pytest.fixture
def whole(tmp_path: Path) -> FrozenEncoder:
    """An encoder of letters, and of words that are likelier than their letters."""
    folder = tiny.Folder(tmp_path)
    pieces = [*tiny.SPECIAL, *tiny.LETTERS, *WORDS]
    scores = np.array([0.0] * 4 + [-5.0] * 27 + [-2.0, -2.0, -6.0, -6.0, -2.0, -2.0, -9.0])
    onnx.save(tiny.graph(len(pieces)), folder.graph)
    folder.tokenizer.write_bytes(
        tokenizer_json(pieces, scores.astype(np.float32), begin=0, end=2, unknown=3)
    )
    tiny.write_facts(folder, max_tokens=64)
    facts = checked(folder)
    encoder = Encoder.load(folder.graph.read_bytes(), folder.tokenizer.read_bytes(), facts)
    return FrozenEncoder(folder.graph, encoder)


def test_texts_at_hand_keep_tokens_and_features(whole: FrozenEncoder, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    texts, asked = ["good", "bad good", "a 好"], ["good bad", "never seen"]
    tokenizer = tmp_path / "tokenizer.json"
    found = with_seen_pieces(whole, tokenizer, texts, asked, tmp_path / "out")
    assert found.told["of"] == 38
    assert found.told["pieces"] == 38 - 4  # two words that were not needed, oo and ood
    assert found.told["test_texts"] == 2
    assert found.told["test_texts_with_the_same_tokens"] == 1
    small = found.frozen.encoder
    np.testing.assert_allclose(
        small.features([*texts, asked[0]]), whole.encoder.features([*texts, asked[0]]), atol=1e-6
    )
    cut = json.loads(found.tokenizer.read_bytes())["model"]["vocab"]
    ids = small.tokeniser.ids_of("never")
    assert [cut[number][0] for number in ids[1:-1]] == ["▁", *"never"]
    assert found.tokenizer.stat().st_size < tokenizer.stat().st_size
    assert small.facts.tokenizer_sha256 != whole.encoder.facts.tokenizer_sha256


def test_ids_that_are_more_than_rows(whole: FrozenEncoder, tmp_path: Path) -> None:
    model = onnx.load(whole.graph)
    model.graph.node.append(helper.make_node("Mod", [tiny.IDS, "last"], ["group"]))
    with pytest.raises(CannotPrune, match="got Mod of them"):
        prune_tables(model, np.arange(5))
    onnx.save(model, tmp_path / "other.onnx")
    (tmp_path / "out").mkdir()
    other = FrozenEncoder(tmp_path / "other.onnx", whole.encoder)
    found = with_seen_pieces(other, tmp_path / "tokenizer.json", ["good"], [], tmp_path / "out")
    assert found.frozen is other
    assert "got Mod of them" in found.told["reason"]


def test_a_tokenizer_that_joins_pairs_stays_whole() -> None:
    told = {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}
    with pytest.raises(CannotPrune, match="got BPE"):
        pruned(json.dumps(told).encode(), [0], 0)


def test_word_pieces_and_what_stands_beside_them() -> None:
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##b", "word", "##s", "other", "xy"]
    told = {
        "added_tokens": [{"id": 0, "content": "[PAD]"}, {"id": 10, "content": "[X]"}],
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "model": {
            "type": "WordPiece",
            "vocab": {piece: number for number, piece in enumerate(vocab)},
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
        },
    }
    found = pruned(json.dumps(told).encode(), [2, 6, 7, 3], 0)
    # `xy` stays for x and y, which no piece of one letter has; `other` for o, t, h, e and r.
    assert found.kept.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    told["model"]["vocab"] |= {letter: 10 + n for n, letter in enumerate("otherxywd")}
    told["added_tokens"][1]["id"] = 19
    found = pruned(json.dumps(told).encode(), [2, 6, 7, 3], 0)
    assert 8 not in found.kept
    assert 9 not in found.kept
    written = json.loads(found.content)
    assert written["post_processor"]["sep"] == ["[SEP]", 3]
    assert written["added_tokens"][1]["id"] == found.kept.tolist().index(19)
    assert written["model"]["vocab"]["word"] == 6
