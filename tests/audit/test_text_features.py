"""Texts that an audit compares: alike where they share runs of characters, whatever their case."""

import numpy as np

from app.inputs.text import TEXT, TextInputs, coded
from worker.audit.features import audit_features
from worker.training.items import Items

GOOD = [f"the food was lovely and warm {place}" for place in range(30)]
BAD = [f"never again, rude and slow {place}" for place in range(30)]


def features(texts: list[str]) -> np.ndarray:
    items = Items.of({TEXT: coded(texts, 64)})
    found: np.ndarray = audit_features(TextInputs(length=64), items)
    return found


def test_texts_stand_beside_those_that_are_like_them() -> None:
    found = features([*GOOD, *BAD, "THE FOOD WAS LOVELY", "猫"])
    assert found.shape[0] == 62
    assert found.shape[1] <= 50
    np.testing.assert_allclose(np.linalg.norm(found[:60], axis=1), 1, atol=1e-5)
    nearest = np.argsort(-(found[:60] @ found[60]))[:10]
    assert (nearest < 30).all()
    assert np.isfinite(found).all()


def test_few_texts_have_features_too() -> None:
    assert features(["a", "a"]).shape[0] == 2
    assert features(["ab", "cd", "ab"]).shape[0] == 3
