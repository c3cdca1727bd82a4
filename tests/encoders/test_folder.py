"""A folder of an encoder is what its facts say, or it is refused by name."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from app.errors import FailureCode, WorkFailure
from tests.encoders.tiny import DIMENSION, graph, tiny, with_pattern, write_facts
from worker.backbones.encoders.any_text import LONG
from worker.backbones.encoders.folder import SENTENCES, Folder, checked
from worker.backbones.encoders.running import Encoder

pytest.importorskip("tokenizers", reason="needs the extra `text`")


def test_a_whole_folder_gets_its_centre(tmp_path: Path) -> None:
    folder = tiny(tmp_path)
    facts = checked(folder)
    assert len(facts.centre) == DIMENSION
    assert facts.sha256 != folder.facts().sha256  # what is taken off features changes them
    folder.write(facts)
    assert checked(folder) == facts


def test_features_by_hand(tmp_path: Path) -> None:
    """The mean of the vectors of <s>, the letters and </s>, centred, times the root of 4."""
    folder = tiny(tmp_path, centre=(1.0, 0.0, 0.0, 0.0))
    encoder = Encoder.load(folder.graph.read_bytes(), folder.tokenizer.read_bytes(), folder.facts())
    (table,) = (t for t in onnx.load(folder.graph).graph.initializer if t.name == "table")
    vectors = onnx.numpy_helper.to_array(table)
    ids = encoder.tokeniser.ids_of("ab")
    assert ids == [0, 4, 5, 6, 2]  # <s> ▁ a b </s>
    expected = 2 * (vectors[ids].mean(0) - [1, 0, 0, 0])
    together = encoder.features(["ab", "a much longer text than that", "ab"])
    np.testing.assert_allclose(together[0], expected, rtol=1e-5)
    np.testing.assert_array_equal(together[0], together[2])


def test_a_text_is_cut_at_the_encoders_tokens(tmp_path: Path) -> None:
    folder = tiny(tmp_path)
    encoder = Encoder.load(folder.graph.read_bytes(), folder.tokenizer.read_bytes(), folder.facts())
    ids = encoder.tokeniser.ids_of("a" * 100)
    assert len(ids) == 16
    assert (ids[0], ids[-1]) == (0, 2)  # the special ones stay


def _other_graph(folder: Folder) -> None:
    folder.graph.write_bytes(folder.graph.read_bytes() + b"\x00")


def _no_tokenizer(folder: Folder) -> None:
    folder.tokenizer.unlink()


def _other_inputs(folder: Folder) -> None:
    onnx.save(graph(31, mask="token_type_ids"), folder.graph)
    write_facts(folder)


def _fewer_pieces(folder: Folder) -> None:
    onnx.save(graph(20), folder.graph)
    write_facts(folder)


def _padding_counts(folder: Folder) -> None:
    onnx.save(graph(31, heeds_mask=False), folder.graph)
    write_facts(folder)


def _other_dimension(folder: Folder) -> None:
    write_facts(folder, dimension=DIMENSION + 1)


def _not_normalised(folder: Folder) -> None:
    write_facts(folder, normalised=True)


def _external_data(folder: Folder) -> None:
    model = onnx.load(folder.graph)
    onnx.external_data_helper.convert_model_to_external_data(
        model, location="weights.bin", size_threshold=0
    )
    onnx.save(model, folder.graph)
    write_facts(folder)


def _custom_operators(folder: Folder) -> None:
    model = onnx.load(folder.graph)
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    onnx.save(model, folder.graph)
    write_facts(folder)


def _no_graph(folder: Folder) -> None:
    folder.graph.write_bytes(b"no graph at all")
    write_facts(folder)


def _no_tokens(folder: Folder) -> None:
    folder.tokenizer.write_bytes(b"{}")
    write_facts(folder)


def _no_piece_for_what_is_not_known(folder: Folder) -> None:
    content = json.loads(folder.tokenizer.read_bytes())
    content["model"]["unk_id"] = None
    folder.tokenizer.write_text(json.dumps(content))
    write_facts(folder)


def _passes_over_what_is_not_known(folder: Folder) -> None:
    """It has each letter of the sentences that are tried, and makes nothing of any other."""
    letters = sorted({*"".join(SENTENCES), *"".join(LONG)})
    vocabulary = {piece: place for place, piece in enumerate(["<s>", "<pad>", *letters])}
    content = json.loads(folder.tokenizer.read_bytes())
    content |= {"normalizer": None, "pre_tokenizer": None, "post_processor": None}
    content["model"] = {"type": "BPE", "vocab": vocabulary, "merges": []}
    folder.tokenizer.write_text(json.dumps(content))
    onnx.save(graph(len(vocabulary)), folder.graph)
    write_facts(folder)


def _repeats_of_repeats(folder: Folder) -> None:
    folder.tokenizer.write_bytes(with_pattern(folder.tokenizer.read_bytes()))
    write_facts(folder)


def _no_facts(folder: Folder) -> None:
    (folder.path / "encoder.json").write_text('{"name": "tiny"}')


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_other_graph, "expected model.onnx of sha256"),
        (_no_tokenizer, "expected the file tokenizer.json"),
        (_other_inputs, "token_type_ids"),
        (_fewer_pieces, "the tokenizer is another encoder's"),
        (_padding_counts, "does not heed attention_mask"),
        (_other_dimension, "expected features of 5 numbers, got 4"),
        (_not_normalised, "expected features of length 1"),
        (_external_data, "to hold all its data"),
        (_custom_operators, "got some of com.example"),
        (_no_graph, "to be an ONNX graph"),
        (_no_tokens, "expected a tokenizer.json"),
        (_no_piece_for_what_is_not_known, "that cuts any text, got one that fails"),
        (_repeats_of_repeats, "a pattern without repeats of repeats"),
        (_passes_over_what_is_not_known, "expected finite features of any text"),
        (_no_facts, "expected the facts of an encoder"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, damage: Callable[[Folder], None], said: str
) -> None:
    folder = tiny(tmp_path)
    damage(folder)
    with pytest.raises(WorkFailure) as failure:
        checked(folder)
    assert failure.value.code == FailureCode.ENCODER_REFUSED
    assert said in failure.value.detail
