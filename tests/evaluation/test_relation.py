"""LEEP against its own chance: what unrelated classes are told, and what is next to nothing."""

import numpy as np
import pytest

from worker.evaluation.relation import ITEMS, relation


def outputs(y: np.ndarray, right: float, sure: float, seed: int = 0) -> np.ndarray:
    """Of 10 source classes, (n, 10): `sure` of the mass on one, which goes with the label for a
    share `right` of the items and is drawn for the others."""
    random = np.random.default_rng(seed)
    drawn = np.where(random.random(len(y)) < right, y, random.integers(10, size=len(y)))
    return sure * np.eye(10)[drawn] + (1 - sure) / 10


def test_classes_that_name_each_other_tell_all() -> None:
    y = np.repeat([0, 1, 2, 3], 50)
    found = relation(np.eye(4)[y], y, seed=0)
    assert found
    assert found.told == pytest.approx(np.log(4))  # the entropy of four equal classes
    assert found.entropy == pytest.approx(np.log(4))
    assert found.p_value == 0.01  # of 99 permutations none is told as much
    assert not found.is_chance


def test_unrelated_classes_are_told_as_much_as_permuted_ones() -> None:
    y = np.arange(200) % 4
    found = [relation(outputs(y, 0, 1, seed), y, seed) for seed in range(40)]
    told = [each.told for each in found if each]
    # The G-test: twice the items times what is told is chi-squared, of 9 * 3 degrees of freedom.
    assert np.mean(told) == pytest.approx(9 * 3 / 400, rel=0.15)
    assert np.mean([each.by_chance for each in found if each]) == pytest.approx(
        np.mean(told), rel=0.1
    )
    assert sum(each.is_chance for each in found if each) >= 36  # a p-value of 5 %: 38 expected


@pytest.mark.parametrize("sure", [0.4, 0.99])
def test_a_related_source_is_told_from_chance_by_five_labels_per_class(sure: float) -> None:
    """However sure its outputs are: soft ones tell less, and less by chance as well."""
    y = np.repeat(np.arange(10), 5)
    found = [relation(outputs(y, 0.7, sure, seed), y, seed) for seed in range(20)]
    assert not any(each.is_chance for each in found if each)


def test_what_is_certain_but_next_to_nothing_is_chance() -> None:
    """A network that has learnt nothing is almost equally sure of everything."""
    y = np.repeat(np.arange(10), 100)
    found = relation(outputs(y, 0.7, 0.02), y, seed=0)
    assert found
    assert found.p_value == 0.01
    assert found.told - found.by_chance < 0.01
    assert found.is_chance
    assert found.is_nothing


def test_of_few_items_nobody_can_say_that_there_is_nothing() -> None:
    y = np.repeat(np.arange(10), 5)
    found = [relation(outputs(y, 0, 1, seed), y, seed) for seed in range(20)]
    assert not any(each.is_nothing for each in found if each)
    many = np.repeat(np.arange(10), 200)
    surely = [relation(outputs(many, 0, 1, seed), many, seed) for seed in range(20)]
    assert all(each.is_nothing for each in surely if each)


def test_outputs_that_are_all_alike_tell_nothing() -> None:
    y = np.arange(30) % 3
    found = relation(np.full((30, 5), 0.2), y, seed=0)
    assert found
    assert found.told == pytest.approx(0, abs=1e-9)
    assert found.p_value == 1
    assert found.is_chance


def test_where_there_is_nothing_to_tell() -> None:
    assert relation(np.full((4, 2), 0.5), np.zeros(4, int), seed=0) is None
    assert relation(np.array([[np.nan, 1.0], [0.5, 0.5]]), np.array([0, 1]), seed=0) is None


def test_of_many_items_it_looks_at_some() -> None:
    y = np.arange(3 * ITEMS) % 4
    found = relation(outputs(y, 0, 1), y, seed=0)
    assert found
    assert found.by_chance == pytest.approx(9 * 3 / (2 * ITEMS), rel=0.1)
