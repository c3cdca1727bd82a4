import numpy as np
import pytest

from tests.training.trials import DOMAIN, images_of, spec
from worker.backbones.network import Architecture, Network
from worker.strategies.recipe import FEATURES
from worker.training import predict
from worker.training.items import Items


def test_logits_are_the_same_in_any_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(Architecture.of(spec("convnet").model, DOMAIN.schema))
    network.initialise(0)
    items = DOMAIN.train.items
    whole = predict.outputs_of(network, items)
    assert whole.shape == (len(items), 3)
    assert whole.dtype == np.float32
    monkeypatch.setattr(predict, "BATCH_BYTES", 7 * 8 * 8 * 4)
    np.testing.assert_allclose(predict.outputs_of(network, items), whole, atol=1e-6)
    raw = images_of(DOMAIN.train).astype(np.float32)
    np.testing.assert_allclose(network.raw_model()(raw), whole, atol=1e-6)


def test_the_head_on_features_gives_the_logits() -> None:
    network = Network(Architecture.of(spec("mlp").model, DOMAIN.schema))
    network.initialise(0)
    features = predict.features(network, DOMAIN.train.items)
    assert features.shape == (len(DOMAIN.train), 12)
    whole = predict.outputs_of(network, DOMAIN.train.items)
    of_features = predict.head_outputs(network, Items.of({FEATURES: features}))
    np.testing.assert_allclose(of_features, whole, atol=1e-6)


def test_no_items_no_logits() -> None:
    network = Network(Architecture.of(spec("mlp").model, DOMAIN.schema))
    assert predict.outputs_of(network, DOMAIN.train.items.head(0)).shape == (0, 3)


def test_how_items_are_changed_hangs_on_the_seed_alone() -> None:
    network = Network(Architecture.of(spec("mlp").model, DOMAIN.schema))
    network.initialise(0)
    items = DOMAIN.train.items
    changed = predict.changed_outputs(network, items, 3)
    assert changed.shape == (len(items), 3)
    np.testing.assert_array_equal(predict.changed_outputs(network, items, 3), changed)
    assert np.abs(predict.changed_outputs(network, items, 4) - changed).max() > 1e-3
    assert np.abs(predict.outputs_of(network, items) - changed).max() > 1e-3
