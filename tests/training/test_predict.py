import numpy as np
import pytest

from tests.training.trials import DOMAIN, spec
from worker.backbones.network import Architecture, Network
from worker.training import predict


def test_logits_are_the_same_in_any_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(Architecture.of(spec("convnet").model, DOMAIN.schema))
    network.initialise(0)
    x = DOMAIN.train.x
    whole = predict.logits(network, x)
    assert whole.shape == (len(x), 3)
    assert whole.dtype == np.float32
    monkeypatch.setattr(predict, "BATCH_BYTES", 7 * 8 * 8 * 4)
    np.testing.assert_allclose(predict.logits(network, x), whole, atol=1e-6)
    np.testing.assert_allclose(network.raw_model()(np.asarray(x, np.float32)), whole, atol=1e-6)


def test_the_head_on_features_gives_the_logits() -> None:
    network = Network(Architecture.of(spec("mlp").model, DOMAIN.schema))
    network.initialise(0)
    features = predict.features(network, DOMAIN.train.x)
    assert features.shape == (len(DOMAIN.train), 12)
    whole = predict.logits(network, DOMAIN.train.x)
    np.testing.assert_allclose(predict.head_logits(network, features), whole, atol=1e-6)


def test_no_items_no_logits() -> None:
    network = Network(Architecture.of(spec("mlp").model, DOMAIN.schema))
    assert predict.logits(network, np.zeros((0, 8, 8, 1), np.uint8)).shape == (0, 3)


def test_how_items_are_changed_hangs_on_the_seed_alone() -> None:
    network = Network(Architecture.of(spec("mlp").model, DOMAIN.schema))
    network.initialise(0)
    x = DOMAIN.train.x
    changed = predict.changed_logits(network, x, 3)
    assert changed.shape == (len(x), 3)
    np.testing.assert_array_equal(predict.changed_logits(network, x, 3), changed)
    assert np.abs(predict.changed_logits(network, x, 4) - changed).max() > 1e-3
    assert np.abs(predict.logits(network, x) - changed).max() > 1e-3
