"""A backbone with a model inside, and one with embeddings, are treated as flat ones are."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.trials import DOMAIN, Recorder, architecture, spec, trial
from worker.backbones import network as networks
from worker.backbones.fused_norm import fused_norms
from worker.backbones.initialisation import Initialiser
from worker.backbones.network import Network
from worker.backbones.norm_momentum import norm_momentum
from worker.training import program
from worker.training.run import train


def nesting(*_: object) -> keras.Model:
    inner = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(3, 3, use_bias=False, name="convolution"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.5, name="dropout"),
        ],
        name="inner",
    )
    image = keras.Input((8, 8, 1), name="image")
    middle = keras.Model(image, inner(image), name="middle")
    x = keras.layers.Flatten()(middle(image))
    return keras.Model({"image": image}, keras.layers.Dense(4)(x))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    monkeypatch.setattr(networks, "build", nesting)
    made = Network(architecture(spec().model))
    made.initialise(1)
    return made


def statistics(network: Network) -> list[np.ndarray]:
    return [norm.moving_mean.numpy() for norm in network.norms]


X = {"image": np.random.default_rng(0).random((6, 8, 8, 1), np.float32)}


def test_norms_inside_are_frozen(network: Network) -> None:
    (before,) = statistics(network)
    with network.batch_norm_frozen():
        network.outputs(X, training=True)
    assert np.array_equal(statistics(network), [before])
    network.outputs(X, training=True)
    assert not np.array_equal(statistics(network), [before])


def test_norms_inside_have_the_momentum_that_is_asked_for(network: Network) -> None:
    network.backbone.get_layer("middle").get_layer("inner").get_layer("dropout").rate = 0
    (norm,) = network.norms
    with norm_momentum(network, 0.0):
        network.features(X, training=True)
    inner = network.backbone.get_layer("middle").get_layer("inner")
    rows = inner.get_layer("convolution")(X["image"]).numpy().reshape(-1, 3)
    np.testing.assert_allclose(norm.moving_mean.numpy(), rows.mean(0), rtol=1e-4, atol=1e-6)


def test_norms_inside_are_fused(network: Network) -> None:
    (norm,) = network.norms
    with fused_norms(network.backbone):
        assert getattr(norm.call, "func", None) is not None
        fused = network.features(X, training=False)
    np.testing.assert_allclose(fused, network.features(X), rtol=1e-5, atol=1e-6)


def test_it_is_trained_and_its_statistics_are_the_items(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(networks, "build", nesting)
    program.forget()
    try:
        trained = train(trial("scratch", spec(bottleneck=3)), Recorder())
        (norm, _) = trained.norms
        inner = trained.backbone.get_layer("middle").get_layer("inner")
        items = trained.inputs.seen(DOMAIN.train.items.read())
        rows = inner.get_layer("convolution")(items["image"]).numpy().reshape(-1, 3)
        np.testing.assert_allclose(norm.moving_mean.numpy(), rows.mean(0), rtol=1e-4, atol=1e-6)
        trained.save_weights(tmp_path / "weights.npz")
        expected = trained.raw_outputs(DOMAIN.train.items.read()).numpy()
        trained.initialise(5)
        trained.load_weights(tmp_path / "weights.npz")
        assert np.array_equal(trained.raw_outputs(DOMAIN.train.items.read()), expected)
    finally:
        program.forget()


def embedding() -> keras.Model:
    words = keras.Input((4,), dtype="int32")
    return keras.Model(words, keras.layers.Embedding(50, 8)(words))


def recurrent() -> keras.Model:
    items = keras.Input((5, 3))
    return keras.Model(items, keras.layers.LSTM(4)(items))


def drawn(model: keras.Model, seed: int) -> list[np.ndarray]:
    Initialiser(model.variables).initialise(seed)
    return [variable.numpy() for variable in model.trainable_variables]


@pytest.mark.parametrize("made", [embedding, recurrent])
def test_all_that_is_drawn_follows_from_the_seed(made: Callable[[], keras.Model]) -> None:
    one, other = made(), made()
    first, again, third = drawn(one, 1), drawn(other, 1), drawn(one, 2)
    for a, b, c in zip(first, again, third, strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, c) == (len(np.unique(a)) <= 2)


def test_embeddings_are_small_and_uniform() -> None:
    model = embedding()
    Initialiser(model.variables).initialise(0)
    (table,) = (v.numpy() for v in model.trainable_variables)
    assert 0.045 < np.abs(table).max() <= 0.05
    assert table.std() == pytest.approx(0.05 / np.sqrt(3), rel=0.1)


def test_what_was_drawn_in_another_way_is_refused() -> None:
    image = keras.Input((3,))
    layer = keras.layers.Dense(4, bias_initializer="random_normal", name="odd")
    model = keras.Model(image, layer(image))
    with pytest.raises(ValueError, match=r"odd/bias: expected a kernel, embeddings, or constants"):
        Initialiser(model.variables)
