"""Which validation items a packaged network's temperature is fitted on."""

import numpy as np
import pytest

from app.tasks.classification import Classification
from worker.evaluation.calibration import fit_temperature
from worker.packaging.temperature import Arrays, temperature_of

TASK = Classification(classes=("a", "b"))


def stored(items: int, size: float = 1.0, seed: int = 0) -> Arrays:
    """Of a trial whose logits are `size` times what they should be."""
    random = np.random.default_rng(seed)
    honest = 2 * random.normal(size=(items, 4))
    y = (honest + random.gumbel(size=honest.shape)).argmax(axis=1)
    return {"y_validation": y, "logits_validation": (size * honest).astype(np.float32)}


def fitted(*arms: Arrays) -> float:
    y, logits = (
        np.concatenate([arm[name] for arm in arms])
        for name in ("y_validation", "logits_validation")
    )
    return fit_temperature(y, logits)


def test_enough_items_of_its_own() -> None:
    own, other = stored(500, size=3), stored(500, size=9, seed=1)
    found = temperature_of(own, [own, other], TASK)
    assert found.temperature == fitted(own) == pytest.approx(3, rel=0.2)
    assert (found.items, found.seeds, found.reason) == (500, 1, None)


def test_too_few_of_its_own_are_joined_by_the_other_seeds() -> None:
    arm = [stored(12, size=3, seed=seed) for seed in range(5)]
    found = temperature_of(arm[2], arm, TASK)
    assert found.temperature == fitted(*arm)
    assert (found.items, found.seeds) == (60, 5)


def test_too_few_over_all_seeds() -> None:
    arm = [stored(9), stored(10)]
    found = temperature_of(arm[0], arm, TASK)
    assert found.temperature is None
    assert (found.items, found.seeds) == (19, 2)
    assert found.reason == "fewer than 20 validation items over all seeds: 19"


def test_no_items_at_all() -> None:
    assert temperature_of(stored(0), [stored(0)], TASK).temperature is None


def test_hidden_labels() -> None:
    hidden = {"logits_validation": np.zeros((50, 4), np.float32)}
    found = temperature_of(hidden, [hidden, hidden], TASK)
    assert (found.temperature, found.items) == (None, 0)
    assert found.reason == "its validation items have no labels"
