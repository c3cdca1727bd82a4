"""Whole groups that are held out."""

import numpy as np
import pytest

from worker.training.data import Split, cut_at_random, cut_validation
from worker.training.items import Items


def kept_together(groups: np.ndarray, train: np.ndarray, held: np.ndarray) -> bool:
    everything = sorted([*train.tolist(), *held.tolist()])
    return everything == [*range(len(groups))] and not {*groups[train]} & {*groups[held]}


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_cut_apart_and_each_class_has_its_share(seed: int) -> None:
    groups = np.repeat(np.arange(60), 5)  # 60 patients of 5 rows each, half of them ill
    y = groups % 2
    train, held = cut_validation(y, 0.1, seed, groups)
    assert kept_together(groups, train, held)
    assert np.bincount(y[held]).tolist() == [15, 15]
    again = cut_validation(y, 0.1, seed, groups)
    assert np.array_equal(again[1], held)
    assert not np.array_equal(cut_validation(y, 0.1, seed + 1, groups)[1], held)


def test_groups_of_one_item_are_held_out_as_items_are() -> None:
    y = np.repeat([0, 1, 2, 3], [12, 7, 3, 2])
    _, held = cut_validation(y, 0.1, 0, np.arange(24))
    assert np.bincount(y[held], minlength=4).tolist() == [1, 1, 1, 0]


def test_a_class_never_goes_to_validation_as_a_whole() -> None:
    """The rare class is one patient's: to hold her out would leave nothing of it to learn."""
    groups = np.repeat(np.arange(10), 4)
    y = (groups == 7).astype(int)
    for seed in range(10):
        train, held = cut_validation(y, 0.3, seed, groups)
        assert len(held)
        assert set(y[train]) == {0, 1}


def test_of_large_groups_the_smallest_is_held_out_up_to_a_third() -> None:
    groups = np.repeat([0, 1, 2, 3], [40, 20, 30, 30])
    train, held = cut_validation(np.tile([0, 1], 60), 0.1, 0, groups)
    assert set(groups[held]) == {1}
    assert kept_together(groups, train, held)
    halves = np.repeat([0, 1], 50)
    assert len(cut_validation(np.tile([0, 1], 50), 0.1, 0, halves)[1]) == 0


def test_of_hidden_labels_too() -> None:
    groups = np.repeat(np.arange(20), 3)
    train, held = cut_at_random(60, 0.1, 4, groups)
    assert kept_together(groups, train, held)
    assert len(held) == 6


def test_groups_of_two_datasets_are_not_the_same() -> None:
    def split(groups: np.ndarray | None) -> Split:
        return Split.stored(Items.of({"x": np.zeros((3, 1))}), np.zeros(3, np.int32), groups)

    numbered, plain = split(np.array([0, 0, 1])), split(None)
    both = Split.joined([numbered, plain, numbered], is_one_origin=False)
    assert both.groups is not None
    assert len(set(both.groups.tolist())) == 7
    parts = Split.joined([numbered, numbered], is_one_origin=True)
    assert parts.groups is not None
    assert parts.groups.tolist() == [0, 0, 1, 0, 0, 1]
    assert Split.joined([plain, plain], is_one_origin=False).groups is None
    assert parts.select(np.array([2, 5])).without_labels().groups.tolist() == [1, 1]  # type: ignore[union-attr]
