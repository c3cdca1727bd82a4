"""Rows for training and rows for testing."""

from pathlib import Path

import numpy as np
import pytest

from app.errors import WorkFailure
from tests.intake.tables import csv_text, kinds_of, rows_of, take_csv, y_of
from worker.intake.ingested import IngestedDataset


def of_test(taken: IngestedDataset, name: str) -> list[object]:
    return rows_of(taken)[name].to_pylist()[taken.schema.splits["train"] :]


def test_a_column_says_it(tmp_path: Path) -> None:
    split = ["Train", "train", "test", "val"] * 5
    taken = take_csv(tmp_path, csv_text(split=split), split={"column": "split"})
    assert taken.schema.splits == {"train": 15, "test": 5}
    assert set(of_test(taken, "split")) == {"test"}
    assert kinds_of(taken)["split"][1] == "ignored"
    assert "5 rows for validation are for training." in taken.profile["warnings"]
    only = take_csv(
        tmp_path, csv_text(split=["train", "train", "dev", "dev"] * 5), split={"column": "split"}
    )
    assert only.schema.splits == {"train": 10, "test": 10}


def test_values_of_a_column_are_the_test(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, csv_text(), split={"where": {"city": ["Oslo", "Rome"]}})
    assert set(of_test(taken, "city")) == {"Oslo", "Rome"}
    assert kinds_of(taken)["city"] == ("category", "domain")
    assert taken.profile["test_split"] == {"origin": "where"}


def test_seeds_and_fractions(tmp_path: Path) -> None:
    text = csv_text()
    default, same, other, half = (
        take_csv(tmp_path, text, **spec)
        for spec in (
            {},
            {"split": {"test_fraction": 0.2, "seed": 0}},
            {"split": {"seed": 1}},
            {"test_fraction": 0.5},
        )
    )
    assert default.content_hash == same.content_hash != other.content_hash
    assert half.schema.splits == {"train": 10, "test": 10}
    assert sorted(y_of(other, "test")) == [0, 0, 1, 1]


def test_a_group_is_never_cut_apart(tmp_path: Path) -> None:
    rows = 60
    patient = [f"p{place % 15}" for place in range(rows)]
    text = csv_text(rows, patient=patient)
    said = take_csv(tmp_path, text, split={"test_fraction": 0.2, "group": "patient"})
    by_role = take_csv(tmp_path, text, columns={"patient": {"role": "group"}})
    for taken in (said, by_role):
        every = rows_of(taken)["patient"].to_pylist()
        cut = taken.schema.splits["train"]
        assert not set(every[:cut]) & set(every[cut:])
        assert taken.schema.splits == {"train": 48, "test": 12}
        assert abs(float(np.mean(y_of(taken, "test"))) - 0.5) < 0.2
        assert kinds_of(taken)["patient"][1] == "group"


def test_groups_in_both_splits_are_told(tmp_path: Path) -> None:
    split = ["train"] * 15 + ["test"] * 5
    text = csv_text(split=split, patient=[f"p{place % 6}" for place in range(20)])
    taken = take_csv(
        tmp_path, text, split={"column": "split"}, columns={"patient": {"role": "group"}}
    )
    assert taken.profile["groups_across_splits"] == 5
    assert "5 groups of the column `patient`" in " ".join(taken.profile["warnings"])


@pytest.mark.parametrize(
    ("columns", "split", "code", "pointer"),
    [
        ({"patient": ["p"] * 20}, {"group": "patient"}, "one_group", "#/spec/split/group"),
        ({}, {"column": "fold"}, "unknown_column", "#/spec/split/column"),
        ({"fold": ["train", "?"] * 10}, {"column": "fold"}, "wrong_split", "#/file/fold"),
        ({"fold": ["train"] * 20}, {"column": "fold"}, "empty_split", "#/file"),
        ({}, {"where": {"city": ["Bonn"]}}, "empty_split", "#/spec/split/where/city"),
        ({}, {"where": {"city": ["Lima", "Oslo", "Rome"]}}, "empty_split", "#/file"),
        (
            {"label": ["a", "b"] * 9 + ["c", "c"], "fold": ["train"] * 18 + ["test"] * 2},
            {"column": "fold"},
            "unknown_class",
            "#/file/label",
        ),
    ],
)
def test_refused(tmp_path: Path, columns: dict, split: dict, code: str, pointer: str) -> None:
    with pytest.raises(WorkFailure) as failure:
        take_csv(tmp_path, csv_text(**columns), split=split)
    assert (failure.value.reason, failure.value.pointer) == (code, pointer)


def test_a_class_of_one_row_is_for_training(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, csv_text(label=["a"] * 10 + ["b"] * 9 + ["c"]))
    assert taken.schema.class_counts == {"train": (8, 7, 1), "test": (2, 2, 0)}
    assert "Classes without items in the test split: c." in taken.profile["warnings"]


@pytest.mark.parametrize(
    "split",
    [
        {"column": "a", "where": {"b": ["c"]}},
        {"column": "a", "group": "b"},
        {"where": {}},
        {"where": {"a": []}},
        {"time": "a", "group": "b"},
        {"time": "a", "column": "b"},
        {"time": "a", "seed": 1},
        {"test_from": 3},
        {"time": "a", "test_from": 3, "test_fraction": 0.2},
    ],
)
def test_one_way_to_split(tmp_path: Path, split: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        take_csv(tmp_path, csv_text(), split=split)


def test_each_value_of_a_condition_has_rows(tmp_path: Path) -> None:
    """A slip in one of two names would leave half of the rows that were meant."""
    with pytest.raises(WorkFailure) as refused:
        take_csv(tmp_path, csv_text(), split={"where": {"city": ["Oslo", "rome"]}})
    assert refused.value.pointer == "#/spec/split/where/city"
    assert "got `rome`, which none has" in refused.value.detail


def test_two_columns_of_groups_are_one_too_many(tmp_path: Path) -> None:
    text = csv_text(patient=[f"p{row // 2}" for row in range(20)])
    with pytest.raises(WorkFailure) as refused:
        take_csv(tmp_path, text, split={"group": "city"}, columns={"patient": {"role": "group"}})
    assert refused.value.detail == "expected one column of groups, got `city`, `patient`"


@pytest.mark.parametrize("seed", range(3))
def test_a_class_of_one_group_stays_in_training(tmp_path: Path, seed: int) -> None:
    """Twelve rare ones, each in a row of a patient: nothing would be learnt of those tested."""
    patient = [row // 5 for row in range(200)]
    label = ["ab"[who % 2] for who in patient]
    label[:180:15] = [f"rare {number}" for number in range(12)]
    text = csv_text(200, patient=[f"p{who}" for who in patient], label=label)
    taken = take_csv(tmp_path, text, split={"group": "patient", "seed": seed})
    assert taken.schema.splits == {"train": 160, "test": 40}
    assert min(taken.schema.class_counts["train"]) > 0


def test_several_labels_are_shared_out_by_groups(tmp_path: Path) -> None:
    """Each label's share, not that of the numbers that sets of labels happen to get."""
    rng = np.random.default_rng(0)
    ill = rng.random((40, 3)) < (0.5, 0.3, 0.15)  # of 40 patients, 5 rows each
    labels = {f"l{k}": ill[:, k].repeat(5).astype(int) for k in range(3)}
    text = csv_text(200, label=None, patient=[f"p{row // 5}" for row in range(200)], **labels)
    taken = take_csv(tmp_path, text, target={"columns": [*labels]}, split={"group": "patient"})
    shares = np.array([y_of(taken, split).mean(axis=0) for split in ("train", "test")])
    assert np.abs(shares[0] - shares[1]).max() < 0.1


def test_true_is_yes_where_a_column_says_yes_and_no(tmp_path: Path) -> None:
    text = csv_text(smokes=["Yes", "no", "NO", "yes", ""] * 4)
    taken = take_csv(tmp_path, text, split={"where": {"smokes": [True]}})
    assert set(of_test(taken, "smokes")) == {"Yes", "yes"}
    assert taken.schema.splits == {"train": 12, "test": 8}
