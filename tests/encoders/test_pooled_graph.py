"""Tokens' vectors to a sentence's, against numpy."""

import numpy as np
import onnxruntime
import pytest

from app.errors import WorkFailure
from tests.encoders.tiny import IDS, MASK
from tests.encoders.tokens_graph import TYPES, table, vectors_graph
from worker.backbones.encoders.pooled_graph import pooled

TOKENS = np.array([[0, 5, 2, 1], [0, 6, 7, 2]], np.int64)
HEEDED = np.array([[1, 1, 1, 0], [1, 1, 1, 1]], np.int64)


def features(pooling: str, normalised: bool) -> np.ndarray:
    model = pooled(vectors_graph(), pooling, normalised)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(None, {IDS: TOKENS, MASK: HEEDED})
    return np.asarray(found)


def test_the_mean_is_over_what_the_mask_leaves() -> None:
    rows = table()
    expected = [rows[[0, 5, 2]].mean(axis=0), rows[[0, 6, 7, 2]].mean(axis=0)]
    np.testing.assert_allclose(features("mean", normalised=False), expected, rtol=1e-5)


def test_the_first_token_at_length_1() -> None:
    found = features("cls", normalised=True)
    own = table()[0]
    np.testing.assert_allclose(found[0], own / np.linalg.norm(own), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("takes", [(IDS,), (IDS, MASK, "position_ids"), (MASK, TYPES)])
def test_a_graph_that_wants_other_inputs(takes: tuple[str, ...]) -> None:
    model = vectors_graph(*dict.fromkeys((IDS, *takes)))
    kept = [each for each in model.graph.input if each.name in takes]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    with pytest.raises(WorkFailure, match="expected a graph that takes"):
        pooled(model, "mean", normalised=False)


def test_a_graph_without_vectors_of_tokens() -> None:
    with pytest.raises(WorkFailure, match="got neither"):
        pooled(vectors_graph(gives="logits"), "mean", normalised=False)
