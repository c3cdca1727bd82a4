import numpy as np
import pytest

from tests.training.trials import domain, images_of, pictures
from worker.search.folds import FOLDS, MOST, REPEATS, folds, pooled
from worker.training.data import Domain


@pytest.mark.parametrize(("per_class", "classes"), [(2, 3), (5, 10), (7, 4), (40, 2)])
def test_few_items_are_held_out_once_each_but_for_a_remainder(per_class: int, classes: int) -> None:
    y = np.repeat(np.arange(classes), per_class).astype(np.int32)
    parts = folds(y, seed=1)
    assert len(parts) == FOLDS * REPEATS
    for first in (0, FOLDS):  # and each item once more when they are parted anew
        held = np.concatenate([part.held_out for part in parts[first : first + FOLDS]])
        assert len(held) == len(set(held)) == len(y) // FOLDS * FOLDS
    assert len({len(part.train) for part in parts}) == 1
    for part in parts:
        assert set(part.train) | set(part.held_out) == set(range(len(y)))
        assert not set(part.train) & set(part.held_out)
        assert set(y[part.train]) == set(range(classes))
        counts = np.bincount(y[part.held_out], minlength=classes)
        assert counts.max() - counts.min() <= 2


def test_a_class_s_only_item_is_always_trained_on() -> None:
    y = np.array([0, 1, 1, 1, 2, 2, 2], np.int32)
    for part in folds(y, seed=0):
        assert 0 in part.train


def test_one_item_a_class_leaves_nothing_to_hold_out() -> None:
    assert folds(np.arange(5, dtype=np.int32), seed=0) == []


def test_many_items_make_one_fold() -> None:
    y = (np.arange(60_000) % 10).astype(np.int32)
    for labels in (y, np.full(60_000, -1, np.int32)):
        (part,) = folds(labels, seed=0)
        assert len(part.held_out) == MOST
        assert len(part.train) == 60_000 - MOST


def test_hidden_labels_are_one_class() -> None:
    parts = folds(np.full(10, -1, np.int32), seed=0)
    assert [len(part.held_out) for part in parts] == [3, 3, 3] * REPEATS


def test_the_seed_chooses() -> None:
    y = (np.arange(30) % 3).astype(np.int32)
    first, again, other = (folds(y, seed)[0].held_out.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_pooled_items_are_not_copied() -> None:
    both = domain()
    items = pooled(both)
    assert len(items) == 45
    assert items.items.parts is both.train.items.parts
    pixels = images_of(items)
    np.testing.assert_array_equal(pixels[: len(both.train)], images_of(both.train))
    np.testing.assert_array_equal(pixels[len(both.train) :], images_of(both.validation))
    plain = Domain(
        both.schema, *(pictures(images_of(s), s.y) for s in (both.train, both.validation))
    )
    np.testing.assert_array_equal(images_of(pooled(plain)), pixels)


def test_a_group_is_in_one_part_of_a_fold() -> None:
    groups = np.repeat(np.arange(12), [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6])
    y = (groups % 2).astype(np.int32)
    parts = folds(y, 1, groups)
    assert len(parts) == FOLDS * REPEATS
    assert len({(len(part.train), len(part.held_out)) for part in parts}) == 1
    for part in parts:
        assert not {*groups[part.train]} & {*groups[part.held_out]}
        assert len(part.held_out) >= 10
        assert set(y[part.train]) == set(y[part.held_out]) == {0, 1}
    assert parts[0].held_out.tolist() != parts[FOLDS].held_out.tolist()
    assert folds(y, 1, np.zeros(len(y), np.int64)) == []


def test_many_items_of_groups_make_one_fold() -> None:
    groups = np.arange(6_000) // 3
    for y in (groups % 10, np.full(6_000, -1)):
        (part,) = folds(y.astype(np.int32), 0, groups)
        assert not {*groups[part.train]} & {*groups[part.held_out]}
        assert len(part.held_out) == pytest.approx(1200, abs=10)
