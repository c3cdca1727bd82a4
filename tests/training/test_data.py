import numpy as np
import pytest

from tests.training.trials import pictures, schema
from worker.training.data import Domain, cut_validation, few_items, few_labels

Y = np.array([0] * 12 + [1] * 7 + [2] * 3 + [3] * 2 + [4], np.int32)


def counts(indices: np.ndarray) -> list[int]:
    return np.bincount(Y[indices], minlength=5).tolist()


def test_few_labels_takes_so_many_of_each_class() -> None:
    assert counts(few_labels(Y, 3, seed=0)) == [3, 3, 3, 2, 1]


@pytest.mark.parametrize("seed", range(5))
def test_few_labels_are_nested(seed: int) -> None:
    y = np.random.default_rng(seed).integers(0, 4, 200).astype(np.int32)
    five, ten = few_labels(y, 5, seed), few_labels(y, 10, seed)
    assert set(five) < set(ten)
    assert len(five) == 20
    assert len(ten) == 40


def test_few_labels_depend_on_the_seed_alone() -> None:
    assert np.array_equal(few_labels(Y, 3, 1), few_labels(Y, 3, 1))
    assert not np.array_equal(few_labels(Y, 3, 1), few_labels(Y, 3, 2))


def test_validation_is_cut_from_every_class_that_has_three_items() -> None:
    train, validation = cut_validation(Y, 0.1, seed=0)
    assert counts(validation) == [1, 1, 1, 0, 0]
    assert np.array_equal(np.sort(np.concatenate([train, validation])), np.arange(len(Y)))


def test_a_class_never_goes_to_validation_as_a_whole() -> None:
    train, _ = cut_validation(Y, 0.99, seed=0)
    assert counts(train) == [1, 1, 1, 2, 1]


def test_validation_may_be_empty() -> None:
    train, validation = cut_validation(np.array([0, 0, 1, 1], np.int32), 0.5, seed=0)
    assert train.tolist() == [0, 1, 2, 3]
    assert validation.tolist() == []


def test_a_domain_holds_no_test_data() -> None:
    empty = pictures(np.zeros((0, 8, 8, 1), np.uint8), np.zeros(0, np.int32))
    held = {
        name for name, value in vars(Domain(schema(2, 0), empty, empty)).items() if value is empty
    }
    assert held == {"train", "validation"}


def test_few_items_are_nested_and_come_from_every_stratum() -> None:
    strata = np.repeat([0, 1, 2], [5, 5, 10])
    chosen = {count: few_items(strata, count, 3).tolist() for count in (3, 6, 15, 99)}
    assert np.bincount(strata[chosen[3]]).tolist() == [1, 1, 1]
    assert np.bincount(strata[chosen[6]]).tolist() == [2, 2, 2]
    assert np.bincount(strata[chosen[15]]).tolist() == [5, 5, 5]
    assert chosen[99] == list(range(20))
    assert set(chosen[3]) < set(chosen[6]) < set(chosen[15])
    assert chosen[3] != few_items(strata, 3, 4).tolist()
