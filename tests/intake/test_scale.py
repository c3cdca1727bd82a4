"""Values mean what they are, whatever their type."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.divergence import proxy_a_distance
from app.errors import WorkFailure
from tests.intake.archives import pictures, take_npz
from worker.intake.ingestion import IngestedDataset

TRAIN, TEST = pictures(12), pictures(6, seed=1)


def taken(folder: Path, change: Any, **spec: Any) -> IngestedDataset:
    return take_npz(folder, spec=spec, x_train=change(TRAIN), x_test=change(TEST))


def warned(result: IngestedDataset) -> str:
    return " ".join(result.profile["warnings"])


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "int64", ">i4", "uint16", "uint64"])
def test_bytes_are_bytes_in_any_type_of_integers(tmp_path: Path, kind: str) -> None:
    as_bytes = taken(tmp_path, lambda x: x)
    got = taken(tmp_path, lambda x: x.astype(kind))
    assert got.content_hash == as_bytes.content_hash
    assert (got.schema.inputs.dtype, got.schema.inputs.value_range) == ("uint8", (0, 255))
    assert got.profile == as_bytes.profile
    assert got.profile["warnings"] == []


SAME = {
    "float": lambda x: x.astype(np.float64),
    "unit": lambda x: x / 255,
    "sixteen bits": lambda x: x.astype(np.uint16) * 257,
    "sixteen bits as float": lambda x: x.astype(np.float32) * 257,
    "twelve bits": lambda x: np.rint(x * (4095 / 255)).astype(np.int16),
    "mirrored": lambda x: x / 127.5 - 1,
}


@pytest.mark.parametrize("form", SAME)
def test_networks_see_the_same_of_the_same_pictures(tmp_path: Path, form: str) -> None:
    got = taken(tmp_path, SAME[form])
    low, high = got.schema.inputs.value_range
    seen = (np.load(got.arrays["x_train"])[..., 0].astype(np.float64) - low) / (high - low)
    assert np.abs(seen - TRAIN / 255).max() < 2e-4  # half a step of twelve bits
    sketches = [
        np.load(each.arrays["sketch"])[: len(TRAIN)] for each in (got, taken(tmp_path, np.array))
    ]
    assert np.allclose(*sketches, atol=2e-4)
    assert proxy_a_distance(*sketches) == 0
    assert got.profile["warnings"] == []


@pytest.mark.parametrize(
    ("images", "value_range"),
    [
        (TRAIN < 128, (0, 1)),
        ((TRAIN < 128).astype(np.uint8), (0, 1)),
        (TRAIN // 16, (0, 16)),
        (TRAIN / 15.9375, (0, 16)),
        (TRAIN.astype(np.uint16) + 100, (0, 4095)),
        (TRAIN.astype(np.int32) * 16, (0, 4095)),
        (TRAIN.astype(np.int32) * 300, (0, 76500)),
        (TRAIN / 255 * 1.04, (0, 1.04)),
        (TRAIN / 255 * 100, (0, 255)),
        (TRAIN / 255 * 300, (0, 300)),
        (TRAIN / 255 * 1.1 - 0.05, (-0.05, 1.05)),
        ((TRAIN / 255 - 0.13) / 0.31, (-0.13 / 0.31, 0.87 / 0.31)),
        (np.full((12, 2, 2), 5.0), (0, 16)),
        (np.full((12, 2, 2), -5.0), (-5, 0)),
    ],
)
def test_the_rule(tmp_path: Path, images: np.ndarray, value_range: tuple[float, float]) -> None:
    if images.shape == TRAIN.shape:
        images.flat[:2] = images.min(), images.max()
    got = take_npz(tmp_path, x_train=images, x_test=images[:6])
    low, high = got.schema.inputs.value_range
    assert (low, high) == pytest.approx(value_range, rel=1e-3)


def test_the_spec_overrules(tmp_path: Path) -> None:
    got = taken(tmp_path, lambda x: (x > 128).astype(np.uint8), value_range=(0, 255))
    assert got.schema.inputs.value_range == (0, 255)
    assert got.profile["warnings"] == []
    got = taken(tmp_path, lambda x: x, value_range=(0, 100))
    assert "from 0 to 255, outside the value_range 0 to 100" in warned(got)


@pytest.mark.parametrize("bits", ["uint8", "int64"])
def test_zeros_and_ones_are_told(tmp_path: Path, bits: str) -> None:
    got = taken(tmp_path, lambda x: (x > 128).astype(bits))
    assert f"only 0 and 1 as {bits}: 1 counts as white" in warned(got)
    assert got.profile["values"]["train"] == {"low": 0, "high": 1}
    assert "only 0 and 1" not in warned(taken(tmp_path, lambda x: x > 128))


def test_dark_pictures_are_told_and_the_advice_ends_it(tmp_path: Path) -> None:
    got = taken(tmp_path, lambda x: x // 5)
    assert got.schema.inputs.value_range == (0, 255)
    assert "Where 51 is white, say `value_range`: [0, 51]" in warned(got)
    got = taken(tmp_path, lambda x: x // 5, value_range=(0, 51))
    assert got.profile["warnings"] == []
    got = taken(tmp_path, lambda x: x // 16)
    assert "16 counts as white. Where 255 does, say `value_range`: [0, 255]" in warned(got)
    assert taken(tmp_path, lambda x: x // 16, value_range=(0, 255)).profile["warnings"] == []


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (TRAIN / 255, TEST.astype(float)),
        (TRAIN.astype(float), TEST / 255),
        (TRAIN, (TEST > 128).astype(np.uint8)),
        (TRAIN.astype(np.uint16) * 257, TEST),
        (TRAIN / 127.5 - 1, TEST / 255),
    ],
)
def test_splits_on_different_scales_are_told(
    tmp_path: Path, train: np.ndarray, test: np.ndarray
) -> None:
    got = take_npz(tmp_path, x_train=train, x_test=test)
    assert "they seem to be on different scales" in warned(got)


def test_a_test_split_far_outside_is_told(tmp_path: Path) -> None:
    train = np.linspace(100, 110, 48).reshape(12, 2, 2)
    got = take_npz(tmp_path, x_train=train, x_test=np.full((6, 2, 2), 140.0))
    assert "far outside those of x_train" in warned(got)


def test_integers_beside_floats_on_one_scale_are_one_dataset(tmp_path: Path) -> None:
    got = take_npz(tmp_path, x_train=TRAIN, x_test=TEST.astype(float))
    assert (got.schema.inputs.dtype, got.schema.inputs.value_range) == ("float32", (0, 255))
    assert np.array_equal(np.load(got.arrays["x_test"])[..., 0], TEST)
    assert got.profile["warnings"] == []


def test_integers_beside_fractions_on_another_scale_are_refused_with_what_helps(
    tmp_path: Path,
) -> None:
    with pytest.raises(WorkFailure, match=r"\(x_test / 255\?\)") as failure:
        take_npz(tmp_path, x_train=TRAIN / 255, x_test=TEST)
    assert failure.value.reason == "wrong_type"
    assert take_npz(tmp_path, x_train=TRAIN / 255, x_test=TEST / 255).profile["warnings"] == []
    said = take_npz(tmp_path, spec={"value_range": (0, 255)}, x_train=TRAIN / 255, x_test=TEST)
    assert said.schema.inputs.value_range == (0, 255)
