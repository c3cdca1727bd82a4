from pathlib import Path

import numpy as np
import pytest

from tests.training.trials import DOMAIN, SOURCE, Recorder, domain, spec, trial
from worker.backbones.network import Network
from worker.strategies.linear_coral import power, recoloured
from worker.training.data import Domain
from worker.training.features import features_of
from worker.training.run import train

MLP = ("mlp", {"hidden": [12]})
LARGER = domain(items=54, shape=(12, 10, 1), seed=3)


def drawn(seed: int, items: int, width: int = 4) -> np.ndarray:
    """Features whose parts depend on each other, away from 0."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(items, width)) @ rng.normal(size=(width, width))
    return (mixed + rng.normal(0, 5, width)).astype(np.float32)


def test_one_feature_by_hand() -> None:
    """Source 0, 2, 4: mean 2, deviation sqrt(8/3), covariance 3/2 + 1 at deviation 1. Target 10,
    14: mean 12, deviation 2, covariance 2 + 1."""
    f_s, f_t = (np.array(f, np.float32)[:, None] for f in ([0, 2, 4], [10, 14]))
    scale, shift = recoloured(f_s, f_t, ridge=1.0)
    by_hand = np.sqrt(2.5 / 3) * np.sqrt(8 / 3) / 2
    assert scale.item() == pytest.approx(by_hand)
    assert shift.item() == pytest.approx(2 - 12 * by_hand)


def test_equal_domains_stay_as_they_are() -> None:
    scale, shift = recoloured(drawn(0, 50), drawn(0, 50), ridge=1.0)
    np.testing.assert_allclose(scale, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(shift, 0, atol=1e-7)


def test_the_target_gets_the_sources_mean_and_covariance() -> None:
    f_s, f_t = drawn(1, 2_000), drawn(2, 1_500)
    scale, shift = recoloured(f_s, f_t, ridge=1e-9)
    mapped = f_t @ scale + shift
    np.testing.assert_allclose(mapped.mean(0), f_s.mean(0), atol=1e-3)
    np.testing.assert_allclose(np.cov(mapped.T), np.cov(f_s.T), rtol=1e-2, atol=1e-2)


def test_a_classifier_of_the_papers_recoloured_source_says_the_same() -> None:
    """Least squares, without a penalty, on F_S C_S^(-1/2) C_T^(1/2), asked of the target."""
    f_s, f_t, y = drawn(1, 60), drawn(2, 40), drawn(3, 60, 2)
    z_s, z_t = ((f - f.mean(0)) / f.std(0) for f in (f_s, f_t))
    c_s, c_t = (np.cov(z.T) + np.eye(4) for z in (z_s, z_t))
    papers = z_s @ power(c_s, -0.5) @ power(c_t, 0.5)
    wanted = with_ones(z_t) @ np.linalg.lstsq(with_ones(papers), y, rcond=None)[0]
    weights = np.linalg.lstsq(with_ones(f_s), y, rcond=None)[0]
    scale, shift = recoloured(f_s, f_t, ridge=1.0)
    np.testing.assert_allclose(with_ones(f_t @ scale + shift) @ weights, wanted, atol=1e-3)


def with_ones(f: np.ndarray) -> np.ndarray:
    return np.hstack([f, np.ones((len(f), 1))])


def test_dead_features_and_one_item_stay_finite() -> None:
    f_s, f_t = drawn(1, 20), drawn(2, 20)
    f_s[:, 0], f_t[:, 1], f_t[:, 2] = 3, 0, 7
    for some in (f_t, f_t[:1]):
        scale, shift = recoloured(f_s, some, ridge=1.0)
        assert np.isfinite(scale).all()
        assert np.isfinite(shift).all()
        # What the target does not vary in is the source's mean there.
        np.testing.assert_allclose((some @ scale + shift).mean(0), f_s.mean(0), rtol=1e-4)


def values(network: Network) -> dict[str, np.ndarray]:
    return {variable.path: variable.numpy() for variable in network.variables}


@pytest.mark.parametrize("given", [SOURCE, LARGER], ids=["of the target's size", "larger"])
def test_a_trial_maps_the_source_head_alone(given: Domain, tmp_path: Path) -> None:
    job = spec(*MLP, image_size=(6, 6), strategies=("linear_coral",))
    path = tmp_path / "source.npz"
    source = train(trial("pretrain", job, target=given), Recorder())
    source.save_weights(path)
    before = values(source)
    setup = trial("linear_coral", job, target=DOMAIN, source=given, source_weights=path)
    network = train(setup, Recorder())
    after = values(network)
    kernel, bias = (variable.path for variable in network.head.variables)
    moved = {name for name in after if not np.array_equal(after[name], before[name])}
    assert moved == {kernel, bias}
    f_s = features_of(source, given.train.items, lambda: None)
    f_t = features_of(network, DOMAIN.train.items, lambda: None)
    scale, shift = recoloured(f_s, f_t, ridge=1.0)
    np.testing.assert_allclose(
        f_t @ after[kernel] + after[bias],
        (f_t @ scale + shift) @ before[kernel] + before[bias],
        rtol=1e-3,
        atol=1e-4,
    )
