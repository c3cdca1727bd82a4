from functools import cache

import numpy as np
import pytest

from app.spec.backbones import Convnet, Mlp
from app.spec.network_params import ConvnetParams, MlpParams
from tests.training.trials import DOMAIN, architecture, images_of
from worker.backbones.network import Network
from worker.backbones.norm_momentum import corrected_momentum, norm_momentum
from worker.training import population_norms
from worker.training.population_norms import batch_outputs, measure

ITEMS = DOMAIN.train.items
IMAGES = images_of(DOMAIN.train)  # (39, 8, 8, 1), uint8


@cache
def network(dropout: float = 0.0) -> Network:
    params = ConvnetParams(filters=(4, 3), dense=8, dropout=dropout)
    made = Network(architecture(Convnet(backbone="convnet", params=params, bottleneck=5)))
    made.initialise(1)
    return made


def statistics(of: Network) -> list[np.ndarray]:
    return [
        value.numpy() for norm in of.norms for value in (norm.moving_mean, norm.moving_variance)
    ]


def first_norm_takes(rows: np.ndarray) -> np.ndarray:
    """What the first convolution gives, one row per place of an image."""
    x = network().backbone.get_layer("convolution_0")(np.float32(rows) / 255).numpy()
    return x.reshape(-1, x.shape[-1])


def test_one_batch_has_its_own_mean_and_variance() -> None:
    measure(network(), ITEMS, seed=0)
    rows, norm = first_norm_takes(IMAGES), network().norms[0]
    np.testing.assert_allclose(norm.moving_mean.numpy(), rows.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance.numpy(), rows.var(0), rtol=1e-4)


def test_several_batches_have_the_mean_over_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population_norms, "BATCH_ROWS", 16)  # 39 items: three times 13
    measure(network(), ITEMS, seed=3)
    order = np.random.default_rng(3).permutation(len(IMAGES))
    taken = [first_norm_takes(IMAGES[part]) for part in np.array_split(order, 3)]
    norm = network().norms[0]
    expected = np.mean([rows.mean(0) for rows in taken], 0)
    np.testing.assert_allclose(norm.moving_mean.numpy(), expected, rtol=1e-4, atol=1e-6)
    expected = np.mean([rows.var(0) for rows in taken], 0)
    np.testing.assert_allclose(norm.moving_variance.numpy(), expected, rtol=1e-4)


def test_nothing_of_what_was_there_is_left() -> None:
    measure(network(), ITEMS, seed=0)
    expected = statistics(network())
    for norm in network().norms:
        norm.moving_mean.assign(np.full(norm.moving_mean.shape, 7.0))
    measure(network(), ITEMS, seed=0)
    assert all(map(np.array_equal, statistics(network()), expected))


def test_of_many_items_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population_norms, "ITEMS", 10)
    measure(network(), ITEMS, seed=3)
    rows = first_norm_takes(IMAGES[np.random.default_rng(3).permutation(len(IMAGES))[:10]])
    mean = network().norms[0].moving_mean.numpy()
    np.testing.assert_allclose(mean, rows.mean(0), rtol=1e-4, atol=1e-6)


def test_dropout_is_off_and_draws_nothing() -> None:
    with_dropout, without = network(dropout=0.9), network()
    weights = {variable.path: variable for variable in without.variables}
    for variable in with_dropout.variables:
        if variable.path in weights:
            variable.assign(weights[variable.path].numpy())
    before = [variable.numpy() for variable in with_dropout.variables]
    measure(with_dropout, ITEMS, seed=0)
    measure(without, ITEMS, seed=0)
    assert all(map(np.array_equal, statistics(with_dropout), statistics(without)))
    moved = [
        variable.path
        for variable, was in zip(with_dropout.variables, before, strict=True)
        if not np.array_equal(variable.numpy(), was)
    ]
    assert all("moving_" in path for path in moved)


def test_a_network_without_batch_norm_stays_as_it_is() -> None:
    plain = Network(architecture(Mlp(backbone="mlp", params=MlpParams(hidden=(4,)))))
    before = [variable.numpy() for variable in plain.variables]
    measure(plain, ITEMS, seed=0)
    after = [variable.numpy() for variable in plain.variables]
    assert all(map(np.array_equal, before, after))


def test_logits_of_a_batch_are_those_by_its_own_statistics() -> None:
    for norm in network().norms:
        norm.moving_mean.assign(np.full(norm.moving_mean.shape, 7.0))
    before = statistics(network())
    by_batch = batch_outputs(network(), ITEMS, len(IMAGES))
    assert all(map(np.array_equal, statistics(network()), before))
    measure(network(), ITEMS, seed=0)
    expected = network().compiled_outputs({"image": np.float32(IMAGES)})
    np.testing.assert_allclose(by_batch, expected, rtol=1e-3, atol=1e-5)


def test_the_layers_have_their_momentum_back() -> None:
    before = [norm.momentum for norm in network().norms]
    with norm_momentum(network(), 0.25):
        assert {norm.momentum for norm in network().norms} == {0.25}
    assert [norm.momentum for norm in network().norms] == before


def test_a_corrected_average_has_the_steps_alone_in_it() -> None:
    """With b = 1/2: momenta 0, 1/3, 3/7; of 8, 2, 1 after a start of 100 that must not show:
    (1/4 * 8 + 1/2 * 2 + 1) / (7/4) = 16/7."""
    momenta = corrected_momentum(np.arange(3))
    np.testing.assert_allclose(momenta, [0, 1 / 3, 3 / 7], rtol=1e-6)
    average = 100.0
    for momentum, value in zip(momenta, (8.0, 2.0, 1.0), strict=True):
        average = momentum * average + (1 - momentum) * value
    assert average == pytest.approx(16 / 7)
