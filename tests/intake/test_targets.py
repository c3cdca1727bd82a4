"""Quantities, and which task labels are for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import WorkFailure
from tests.intake.archives import pictures, take_npz
from worker.intake.ingestion import IngestedDataset

PRICES = np.linspace(1.5, 40.0, 30)


def of(folder: Path, y: Any, **said: Any) -> IngestedDataset:
    y = np.asarray(y)
    return take_npz(folder, x_train=pictures(len(y)), y_train=y, x_test=None, y_test=None, **said)


def refusal(folder: Path, y: Any, **said: Any) -> WorkFailure:
    with pytest.raises(WorkFailure) as caught:
        of(folder, y, **said)
    return caught.value


def test_quantities_are_stored_as_they_are(tmp_path: Path) -> None:
    got = of(tmp_path, PRICES, spec={"task": "regression", "unit": "USD"})
    task = got.schema.task
    assert (task.kind, task.unit, task.outputs) == ("regression", "USD", 1)
    train, test = (np.load(got.arrays[f"y_{split}"]) for split in ("train", "test"))
    assert train.dtype == np.float32
    assert sorted([*train, *test]) == pytest.approx(PRICES, rel=1e-6)
    assert got.schema.class_counts == {"train": (24,), "test": (6,)}
    assert task.mean == pytest.approx(train.mean(), rel=1e-6)
    assert task.std == pytest.approx(train.std(), rel=1e-6)
    assert np.ptp(test) > 0.6 * np.ptp(PRICES)  # from every part of the range
    assert got.profile["label_values"]["train"]["low"] == pytest.approx(train.min())
    assert got.profile["class_balance"] == {"train": None, "test": None}
    assert json.dumps(got.profile)


@pytest.mark.parametrize(
    ("labels", "kind", "reason"),
    [
        (PRICES, "regression", "no whole numbers, as"),
        (np.arange(150) * 1000, "regression", "with gaps between them"),
        (np.arange(30) % 10, "classification", "10 different ones from 0 to 9"),
        ((np.arange(30) % 10).astype(float), "classification", "10 different ones from 0 to 9"),
        (np.arange(30) % 3 - 1, "classification", "3 different ones from -1 to 1"),
        (np.repeat(np.arange(120), 2), "classification", "120 different ones from 0 to 119"),
        (np.array(["a", "b"] * 6), "classification", "text"),
        (np.array([True, False] * 6), "classification", "true and false"),
    ],
)
def test_what_is_not_said_is_decided_aloud(
    tmp_path: Path, labels: np.ndarray, kind: str, reason: str
) -> None:
    got = of(tmp_path, labels)
    assert got.schema.task.kind == kind
    told = got.profile["task"]
    assert (told["kind"], told["said"]) == (kind, False)
    assert reason in told["reason"]


def test_the_decision_can_be_changed(tmp_path: Path) -> None:
    whole = np.arange(150) * 1000
    for name, kind in (("a", "classification"), ("b", "regression")):
        folder = tmp_path / name
        folder.mkdir()
        got = of(folder, np.repeat(whole, 2), spec={"task": kind})
        assert got.schema.task.kind == kind
        assert got.profile["task"]["said"]
    inferred = of(tmp_path, whole)
    assert any('`task`: "classification"' in said for said in inferred.profile["warnings"])


def test_minus_one_nought_and_one_are_three_classes(tmp_path: Path) -> None:
    assert of(tmp_path, np.arange(30) % 3 - 1).schema.classes == ("-1", "0", "1")


@pytest.mark.parametrize(
    ("labels", "reason", "said"),
    [
        (np.where(np.arange(30) == 3, np.nan, PRICES), "partly_labelled", "NaN"),
        (np.where(np.arange(30) == 3, np.inf, PRICES), "not_finite", "got 1 of 30"),
        (PRICES * 1e40, "not_finite", "finite labels within"),
        (np.full(30, 2.5), "constant_labels", "got 2.5 for each of the"),
        (np.array(["a", "b"] * 6), "wrong_type", "labels that are numbers"),
        (np.array([True, False] * 6), "wrong_type", "labels that are numbers"),
        (np.full((30, 3), 2.5), "shape_mismatch", "keep the column"),
        ([1.5], "empty_split", "at least 2 items"),
    ],
)
def test_labels_of_which_no_quantity_is_learnt(
    tmp_path: Path, labels: Any, reason: str, said: str
) -> None:
    failure = refusal(tmp_path, labels, spec={"task": "regression"})
    assert failure.reason == reason
    assert said in failure.detail
    assert failure.pointer in {"#/file/y_train", "#/file/x_train"}


def test_fractions_are_no_classes_where_classes_were_asked_for(tmp_path: Path) -> None:
    failure = refusal(tmp_path, PRICES, spec={"task": "classification"})
    assert failure.reason == "wrong_type"
    assert '`task`: "regression"' in failure.detail


def test_missing_quantities_are_left_out(tmp_path: Path) -> None:
    labels = np.where(np.arange(30) == 3, np.nan, PRICES)
    got = of(tmp_path, labels, spec={"task": "regression", "missing_label": "nan"})
    assert sum(count for (count,) in got.schema.class_counts.values()) == 29


def test_twins_with_other_quantities_contradict(tmp_path: Path) -> None:
    x = pictures(12)
    x[1] = x[0]
    got = take_npz(
        tmp_path,
        x_train=x,
        y_train=np.linspace(1.5, 3, 12),
        x_test=pictures(6)[:4],
        y_test=np.linspace(1.5, 3, 4),
    )
    assert got.profile["duplicates"]["contradicting"]["within"]["train"] == 1


@pytest.mark.parametrize(
    ("base", "spread", "is_told"), [(1.7e9, 5e3, True), (1.7e9, 1e7, False), (0, 1e-20, False)]
)
def test_labels_that_are_too_near_for_their_size_are_told(
    tmp_path: Path, base: float, spread: float, is_told: bool
) -> None:
    """Moments in seconds, as they are stored: to the nearest 128."""
    got = of(tmp_path, base + spread * np.linspace(-1, 1, 30), spec={"task": "regression"})
    told = [each for each in got.profile["warnings"] if "take away what they have" in each]
    assert bool(told) == is_told
    if is_told:
        assert "stored to the nearest multiple of 1.3e+02" in told[0]
