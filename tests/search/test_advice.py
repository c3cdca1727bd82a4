"""What is not tried because of the source's features."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.search.arms import candidates
from worker.evaluation.closed_form_scores import leep
from worker.search.advice import Evidence, ruled_out

ALL = candidates("lp_ft", "linear_probe", "co_tuning")


def evidence(y: NDArray[np.int32], probe: float | None = 0.9, told: float | None = 0.0) -> Evidence:
    return Evidence(y, 10, {"probe": probe, "leep": told})


def test_features_that_tell_nothing_are_not_probed() -> None:
    y = np.arange(100, dtype=np.int32) % 10
    assert {each.name for each in ruled_out(ALL, evidence(y, 0.14))} == {"linear_probe"}
    assert ruled_out(ALL, evidence(y, 0.15)) == {}
    assert ruled_out(ALL, evidence(y, None)) == {}


def test_classes_that_tell_nothing_are_not_tuned_together() -> None:
    """4 target classes, 100 items: chance tells 9 * 3 / 200 = 0.135 nats."""
    y = np.arange(100, dtype=np.int32) % 4
    entropy = np.log(4)
    found = ruled_out(ALL, evidence(y, told=0.13 - entropy))
    assert {each.name for each in found} == {"co_tuning"}
    assert "tell 0.13 nats" in next(iter(found.values()))
    assert "0.14 are told by chance" in next(iter(found.values()))
    assert ruled_out(ALL, evidence(y, told=0.14 - entropy)) == {}
    assert ruled_out(ALL, evidence(y, told=None)) == {}


def test_chance_is_what_leep_finds_where_there_is_nothing() -> None:
    """The bound is the mean of what unrelated labels seem to tell."""
    rng = np.random.default_rng(0)
    told = []
    for _ in range(50):
        y = rng.integers(4, size=200).astype(np.int32)
        probabilities = np.eye(10)[rng.integers(10, size=200)]
        shares = np.bincount(y) / len(y)
        told.append(leep(probabilities, y) - (shares * np.log(shares)).sum())
    assert np.mean(told) == pytest.approx(9 * 3 / 400, rel=0.15)


def test_one_stays() -> None:
    y = np.arange(100, dtype=np.int32) % 10
    alone = candidates("linear_probe", "co_tuning")
    kept = [each for each in alone if each not in ruled_out(alone, evidence(y, 0.1, -9.0))]
    assert [each.name for each in kept] == ["linear_probe"]
