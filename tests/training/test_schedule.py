import numpy as np
import pytest

from worker.strategies.recipe import Optimization
from worker.training.schedule import rate_factors

STEPS = np.array([0, 25, 50, 99])


def factors(**how: object) -> np.ndarray:
    return rate_factors(Optimization(**how), STEPS, total=100, epoch_steps=10)


def test_constant() -> None:
    assert factors().tolist() == [1, 1, 1, 1]


def test_cosine_by_hand() -> None:
    """(1 + cos 45°) / 2 = .853553 at a quarter of the way."""
    assert factors(schedule="cosine")[:3] == pytest.approx([1, 0.853553, 0.5])
    assert 0 < factors(schedule="cosine")[3] < 0.001


def test_dann_by_hand() -> None:
    """6^-3/4 = .260847 halfway."""
    assert factors(schedule="dann")[[0, 2]] == pytest.approx([1, 0.260847], rel=1e-5)


def test_warm_up_rises_over_its_epochs_and_multiplies() -> None:
    assert factors(warmup_epochs=4) == pytest.approx([1 / 40, 26 / 40, 1, 1])
    assert factors(warmup_epochs=4, schedule="cosine")[1] == pytest.approx(0.853553 * 26 / 40)
