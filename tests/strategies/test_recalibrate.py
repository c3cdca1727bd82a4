from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax

from tests.training.trials import DOMAIN, Recorder, domain, spec, trial
from worker.backbones.network import Network
from worker.strategies.recalibrate import slope_and_bias
from worker.training.features import features_of
from worker.training.run import train

MLP = ("mlp", {"hidden": [12]})
SOURCE = domain(seed=3)


def test_without_labels_nothing_moves() -> None:
    slope, bias = slope_and_bias(np.zeros((0, 3)), np.zeros(0, np.int32), 0.5, 2.0)
    assert slope == 1
    assert bias.tolist() == [0, 0, 0]


def test_two_classes_of_unequal_shares_by_hand() -> None:
    """All logits are 0, three labels of four are 1, the prior is wide: the biases are ±ln(3)/2."""
    labels = np.array([1, 1, 1, 0], np.int32)
    slope, bias = slope_and_bias(np.zeros((4, 2)), labels, 0.5, 1e3)
    assert slope == pytest.approx(1)
    assert bias == pytest.approx([-np.log(3) / 2, np.log(3) / 2], abs=1e-3)


def test_with_logit_adjustment_the_biases_do_not_learn_the_shares() -> None:
    """The same labels; ln(1/4) and ln(3/4) already say all that the biases said."""
    labels = np.array([1, 1, 1, 0], np.int32)
    shares = np.log([0.25, 0.75])
    _, bias = slope_and_bias(np.zeros((4, 2)), labels, 0.5, 1e3, shares)
    assert bias == pytest.approx([0, 0], abs=1e-3)


def test_with_class_weights_the_rare_label_counts_for_more() -> None:
    """One label of four is 0 and counts three times: as many of either, so that nothing moves."""
    labels = np.array([1, 1, 1, 0], np.int32)
    _, bias = slope_and_bias(np.zeros((4, 2)), labels, 0.5, 1e3, 0.0, np.array([3.0, 1.0]))
    assert bias == pytest.approx([0, 0], abs=1e-3)
    _, bias = slope_and_bias(np.zeros((4, 2)), labels, 0.5, 1e3, 0.0, np.array([27.0, 1.0]))
    assert bias == pytest.approx([np.log(9) / 2, -np.log(9) / 2], abs=1e-3)


def test_overconfident_logits_are_softened() -> None:
    """Labels are drawn by softmax(z); given 4 z, the slope is a quarter."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(20_000, 3))
    labels = np.array([rng.choice(3, p=each) for each in np.exp(log_softmax(z, axis=1))])
    slope, bias = slope_and_bias(4 * z, labels, 5.0, 5.0)
    assert slope == pytest.approx(0.25, rel=0.05)
    assert np.abs(bias).max() < 0.05


def test_one_label_moves_little_and_two_do_not_break() -> None:
    z = np.array([[3.0, -3.0]])
    slope, bias = slope_and_bias(z, np.array([1], np.int32), 0.5, 2.0)
    assert 0.3 < slope < 1
    assert 0 < bias[1] < 4
    assert np.isfinite(bias).all()


def values(network: Network) -> dict[str, np.ndarray]:
    return {variable.path: variable.numpy() for variable in network.variables}


def test_a_trial_moves_the_source_heads_slope_and_biases_alone(tmp_path: Path) -> None:
    job = spec(*MLP, strategies=("recalibrate",))
    path = tmp_path / "source.npz"
    source = train(trial("pretrain", job, target=SOURCE), Recorder())
    source.save_weights(path)
    before = values(source)
    network = train(trial("recalibrate", job, target=DOMAIN, source_weights=path), Recorder())
    after = values(network)
    moved = {name for name in after if not np.array_equal(after[name], before[name])}
    kernel, offset = (variable.path for variable in network.head.variables)
    assert moved == {kernel, offset}
    features = features_of(network, DOMAIN.train.items, lambda: None)
    logits = features @ before[kernel] + before[offset]
    slope, bias = slope_and_bias(logits, DOMAIN.train.y, 0.5, 2.0)
    np.testing.assert_allclose(after[kernel], slope * before[kernel], rtol=1e-4)
    np.testing.assert_allclose(after[offset], slope * before[offset] + bias, rtol=1e-3, atol=1e-5)
