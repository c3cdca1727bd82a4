"""How far two datasets are apart, by a few numbers of their items."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from app.datasets.sketch import distance, stored_sketch
from app.inputs.image import ImageInputs
from app.storage import Storage
from app.tables.datasets import DatasetRow


def sketch(images: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    inputs = ImageInputs(shape=images.shape[1:], dtype="float32", value_range=value_range)
    return inputs.sketch({"image": images})


def test_digits_are_near_to_digits_and_far_from_their_negatives() -> None:
    digits = load_digits().images[..., None].astype(np.float32)
    even, odd = digits[::2], digits[1::2]
    half, rest, negative = (sketch(images, (0.0, 16.0)) for images in (even, odd, 16 - odd))
    near, far = distance(half, rest), distance(half, negative)
    assert near["proxy_a_distance"] == pytest.approx(0, abs=0.4)
    assert near["mmd"] == pytest.approx(0, abs=0.02)
    assert far["proxy_a_distance"] == pytest.approx(2, abs=0.01)
    assert far["mmd"] is not None
    assert far["mmd"] > 0.3


def test_datasets_that_were_taken_in_before_have_no_sketch(storage: Storage) -> None:
    assert stored_sketch(storage, DatasetRow(arrays={"x_train": "sha256/…"})) is None
    assert stored_sketch(storage, DatasetRow(arrays={})) is None
