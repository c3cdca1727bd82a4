"""Public bug reports, as files beside the checkout: what the intake makes of each."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.sketch import distance
from app.errors import WorkFailure
from tests.intake.archives import take
from worker.intake.raw import Limits
from worker.intake.take_in import TakenIn

CASES = Path(__file__).parents[3] / "shared" / "cases"
LIMITS = Limits(items=10_000, bytes=2**28)

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")


def of(folder: Path, name: str, **spec: Any) -> TakenIn:
    inside = folder / f"{name}-{len(list(folder.iterdir()))}"
    inside.mkdir()
    return take(inside, {f"{name}.npz": (CASES / f"case_{name}.npz").read_bytes()}, LIMITS, **spec)


def refusal(folder: Path, name: str, **spec: Any) -> str:
    with pytest.raises(WorkFailure) as failure:
        of(folder, name, **spec)
    return str(failure.value)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("02_target_1_to_10", [str(number) for number in range(1, 11)]),
        ("05_source_integers", [str(number) for number in range(12)]),
        ("05_target_strings", [str(number) for number in range(12)]),
        ("06_bool", ["False", "True"]),
        ("06_float", ["0", "1", "2"]),
        ("06_gaps", ["0", "2", "7", "16", "24"]),
        ("06_minus_one_and_one", ["-1", "1"]),
        ("06_minus_zero_plus", ["-1", "0", "1"]),
        ("07_column_labels", ["0", "1", "2", "3"]),
        ("07_medmnist_keys", ["0", "1", "2", "3"]),
    ],
)
def test_ready_with_exactly_those_classes(tmp_path: Path, name: str, classes: list[str]) -> None:
    assert list(of(tmp_path, name).schema.classes) == classes


def test_labels_that_are_none(tmp_path: Path) -> None:
    assert "2 of 90 labels that are NaN" in refusal(tmp_path, "06_float_nan")
    left = of(tmp_path, "06_float_nan", missing_label="nan")
    assert left.schema.classes == ("0", "1", "2")
    assert sum(left.schema.splits.values()) == 90
    assert sum(left.schema.labelled(split) for split in ("train", "test")) == 88
    assert "90 of 90 that are neither, as 0.5" in refusal(
        tmp_path, "06_float_half", task="classification"
    )
    assert of(tmp_path, "06_float_half").schema.task.kind == "regression"


def test_argmax_for_one_hot_rows_alone(tmp_path: Path) -> None:
    assert "argmax" in refusal(tmp_path, "07_one_hot")
    multi = of(tmp_path, "07_multi_label")
    assert multi.schema.task.kind == "multi_label"
    assert "matrix of 0 and 1" in multi.profile["task"]["reason"]
    assert "argmax" not in str(multi.profile)


def test_duplicates_and_a_contradiction(tmp_path: Path) -> None:
    profile = of(tmp_path, "10_duplicates").profile
    assert profile["duplicates"] == {
        "train": 4,
        "test": 1,
        "across_splits": 10,
        "contradicting": {"within": {"train": 0, "test": 0}, "across_splits": 1},
    }
    assert "1 test images stand in the training split under another" in str(profile["warnings"])


def test_names_byte_for_byte(tmp_path: Path) -> None:
    got = of(tmp_path, "13_label_text")
    names = json.loads((CASES / "case_13_names.json").read_text())
    assert set(got.schema.classes) == set(names)
    assert "`Cat`, `cat`, `cat `. They stay 3 classes" in " ".join(got.profile["warnings"])


def test_one_set_of_pictures_in_five_types(tmp_path: Path) -> None:
    kinds = ("uint8", "int64", "uint16", "byte_float", "unit_float")
    taken = [of(tmp_path, f"16_{kind}") for kind in kinds]
    source = np.load(of(tmp_path, "16_source").arrays["sketch"])
    sketches = [np.load(each.arrays["sketch"]) for each in taken]
    from_source = [distance(source, each)["proxy_a_distance"] for each in sketches]
    assert from_source == [from_source[0]] * len(kinds)
    for each in sketches:
        assert distance(sketches[0], each)["proxy_a_distance"] == 0
    seen = []
    for each in taken:
        low, high = each.schema.inputs.value_range
        seen.append((np.load(each.arrays["x_train"]).astype(np.float32) - low) / (high - low))
        assert np.allclose(seen[0], seen[-1], atol=1e-6)
        assert each.profile["warnings"] == []
