"""The network's own probabilities, from calibrated ones."""

import numpy as np
import pytest

from app.prediction.calibration import raw_probabilities
from tests.prediction.site import softmax


def test_by_hand() -> None:
    """0.8 ** 2 = 0.64 and 0.2 ** 2 = 0.04, of 0.68."""
    found = raw_probabilities(np.array([[0.8, 0.2]], np.float32), 2)
    np.testing.assert_allclose(found, [[16 / 17, 1 / 17]], rtol=1e-6)


@pytest.mark.parametrize("temperature", [0.2, 0.7, 1.0, 3.0, 148.0])
@pytest.mark.parametrize("size", [0.1, 3.0, 300.0])
def test_the_softmax_without_the_temperature_comes_back(temperature: float, size: float) -> None:
    logits = size * np.random.default_rng(0).normal(size=(500, 20))
    calibrated = softmax(logits / temperature).astype(np.float32)
    found = raw_probabilities(calibrated, temperature)
    np.testing.assert_allclose(found, softmax(logits), atol=3e-5)
    assert found.dtype == np.float32
