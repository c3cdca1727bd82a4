"""Public bug reports, as files beside the checkout: what the intake makes of each."""

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest

from app.datasets.sketch import distance
from app.errors import WorkFailure
from app.inputs.image import ImageInputs
from app.inputs.pictures import prepare
from tests.intake.archives import take
from tests.picture_files import zipped
from worker.intake.ingestion import IngestedDataset
from worker.intake.raw import IntakeLimits

CASES = Path(__file__).parents[3] / "shared" / "cases"
LIMITS = IntakeLimits(items=10_000, bytes=2**28)

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")


def of(folder: Path, name: str, **spec: Any) -> IngestedDataset:
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


def of_zip(folder: Path, name: str) -> IngestedDataset:
    inside = folder / f"{name}-{len(list(folder.iterdir()))}"
    inside.mkdir()
    return take(inside, {f"{name}.zip": (CASES / f"case_{name}.zip").read_bytes()}, LIMITS)


def test_junk_among_pictures(tmp_path: Path) -> None:
    got = of_zip(tmp_path, "31_junk")
    assert got.schema.classes == ("brick", "carpet")
    assert sum(got.schema.splits.values()) == 20
    assert sum(got.profile["pictures"]["other_files"].values()) == 32


@pytest.mark.parametrize(
    ("name", "classes", "items"),
    [
        ("33_gbk_names", {"猫", "狗"}, 20),
        ("33_backslashes", {"cat", "dog"}, 20),
        ("33_composed_and_decomposed", {"caf\u00e9", "th\u00e9"}, 28),
    ],
)
def test_names_in_zips(tmp_path: Path, name: str, classes: set[str], items: int) -> None:
    got = of_zip(tmp_path, name)
    assert set(got.schema.classes) == classes
    assert sum(got.schema.splits.values()) == items
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}-0"}


@pytest.mark.parametrize("colours", ["grey", "rgb"])
def test_sixteen_bits_keep_their_meaning(tmp_path: Path, colours: str) -> None:
    name = f"35_16_bit_{colours}"
    got = of_zip(tmp_path, name)
    (low, high), x = got.schema.inputs.range, np.load(got.arrays["x_train"])
    shares, y = (x - low) / (high - low), np.load(got.arrays["y_train"])
    means = {label: shares[y == place].mean() for place, label in enumerate(got.schema.classes)}
    assert means == pytest.approx({"dim": 0.14, "mid": 0.46, "bright": 0.79}, abs=0.01)
    inputs = got.schema.inputs
    assert isinstance(inputs, ImageInputs)
    with ZipFile(CASES / f"case_{name}.zip") as archive:
        asked = [prepare(archive.read(f"bright/{number}.png"), inputs) for number in range(10)]
    stored = np.concatenate([x, np.load(got.arrays["x_test"])])
    for each in asked:  # an endpoint sees what was trained on
        assert each.dtype == x.dtype
        assert (stored == each).all(axis=(1, 2, 3)).any()


def test_unreadable_pictures_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(WorkFailure) as failure:
        of_zip(tmp_path, "37_bad_images")
    named = {error["pointer"]: error["detail"] for error in failure.value.as_json()["errors"]}
    assert named == {
        "#/file/cat~1cut_off.jpg": "expected a picture, got a picture that is cut off",
        "#/file/cat~1zero_bytes.jpg": "expected a picture, got an empty file",
        "#/file/dog~1header_only.png": "expected a picture, got a PNG picture whose header is "
        "damaged or cut off",
        "#/file/dog~1noise.png": "expected a picture, got a file of no known format of pictures",
        "#/file/dog~1web_page.jpg": "expected a picture, got a web page",
    }


def test_pictures_with_a_wrong_ending_are_read(tmp_path: Path) -> None:
    with ZipFile(CASES / "case_37_bad_images.zip") as archive:
        bad = ("zero_bytes", "cut_off", "web_page", "noise", "header_only")
        names = [name for name in archive.namelist() if Path(name).stem not in bad]
        files = {name: archive.read(name) for name in names}
    got = take(tmp_path, {"good.zip": zipped(files)}, LIMITS)
    assert got.profile["pictures"]["files"] == {"GIF": 1, "JPEG": 17, "PNG": 2}
