import numpy as np
import pytest

from worker.evaluation.domain_distance import domain_distance


def test_domains_that_are_alike_and_domains_that_are_not() -> None:
    random = np.random.default_rng(0)
    one, other, shifted = random.normal(size=(3, 600, 30)).astype(np.float32)
    alike, near, far = (
        domain_distance(one, features, seed=0)
        for features in (other, shifted + 0.3, 9 + 2 * shifted)
    )
    assert alike["proxy_a_distance"] == pytest.approx(0, abs=0.15)
    assert alike["mmd"] == pytest.approx(0, abs=0.002)
    for name in alike:
        figures = [found[name] for found in (alike, near, far)]
        assert [value for value in figures if value is not None] == figures
        assert figures == sorted(figures, key=lambda value: value or 0)
    assert far["proxy_a_distance"] == pytest.approx(2, abs=0.01)


def test_no_feature_counts_for_its_scale() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=(2, 200, 5))
    scale = np.array([1e6, 1, 1, 1e-6, 1])
    plain, scaled = domain_distance(one, other, 0), domain_distance(scale * one, scale * other, 0)
    assert scaled == pytest.approx(plain)


def test_of_many_items_the_seed_draws_the_same() -> None:
    one, other = np.random.default_rng(0).normal(size=(2, 3000, 4))
    assert domain_distance(one, other, 3) == domain_distance(one, other, 3)
    assert domain_distance(one, other, 3) != domain_distance(one, other, 4)


def test_a_domain_of_one_item_has_no_distance() -> None:
    found = domain_distance(np.zeros((1, 3)), np.ones((5, 3)), 0)
    assert found == {"proxy_a_distance": None, "mmd": None}
