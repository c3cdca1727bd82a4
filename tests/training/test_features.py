"""Features of a frozen backbone: computed once, by whichever engine."""

from pathlib import Path

import numpy as np
import pytest

from app.spec.backbones import Convnet, Mobilenet
from app.spec.network_params import ConvnetParams, MobilenetParams
from tests.training.trials import architecture
from worker.backbones.network import Network
from worker.machine.device import Device, standing_in
from worker.training import features, predict
from worker.training.features import features_of
from worker.training.items import Items

ROWS = 40


@pytest.fixture(scope="module")
def network() -> Network:
    model = Convnet(backbone="convnet", params=ConvnetParams(filters=(4,), dense=6))
    network = Network(architecture(model))
    network.initialise(0)
    return network


@pytest.fixture
def stored(tmp_path: Path) -> Items:
    x = np.random.default_rng(0).integers(0, 256, (ROWS, 8, 8, 1), np.uint8)
    np.save(tmp_path / "x.npy", x)
    return Items.of({"image": np.load(tmp_path / "x.npy", mmap_mode="r")}, key="x")


class Computing:
    """Counts the rows that are really computed."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.rows = 0
        real = predict.features

        def counted(network: Network, items: Items) -> np.ndarray:
            self.rows += len(items)
            return real(network, items)

        patch.setattr(predict, "features", counted)
        features._kept.clear()


def nothing() -> None: ...


def test_other_selections_of_the_same_rows_are_not_computed_again(
    network: Network, stored: Items, monkeypatch: pytest.MonkeyPatch
) -> None:
    computing = Computing(monkeypatch)
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(ROWS)[:30]
        got = features_of(network, stored.select(rows), nothing)
        np.testing.assert_array_equal(got, predict.features(network, stored)[rows])
    assert computing.rows == ROWS + 3 * ROWS  # one of them, and this test's own three


def test_few_rows_are_computed_alone_and_once(
    network: Network, stored: Items, monkeypatch: pytest.MonkeyPatch
) -> None:
    computing = Computing(monkeypatch)
    rows = np.arange(5, 15)
    for _ in range(2):
        features_of(network, stored.select(rows), nothing)
    assert computing.rows == 10


def test_other_weights_are_computed_anew(
    network: Network, stored: Items, monkeypatch: pytest.MonkeyPatch
) -> None:
    computing = Computing(monkeypatch)
    rows = stored.select(np.arange(ROWS))
    before = features_of(network, rows, nothing)
    network.initialise(1)
    try:
        after = features_of(network, rows, nothing)
    finally:
        network.initialise(0)
    assert computing.rows == 2 * ROWS
    assert not np.array_equal(before, after)


def test_what_is_kept_is_bounded(
    network: Network, stored: Items, monkeypatch: pytest.MonkeyPatch
) -> None:
    Computing(monkeypatch)
    monkeypatch.setattr(features, "KEPT_BYTES", 20 * 6 * 4)
    for start in (0, 10, 20):
        features_of(network, stored.select(np.arange(start, start + 10)), nothing)
    assert sum(kept.nbytes for kept in features._kept.values()) == 20 * 6 * 4


@pytest.mark.slow
def test_a_deep_backbone_with_statistics_of_its_own_by_onnx_runtime() -> None:
    model = Mobilenet(backbone="mobilenet", params=MobilenetParams(width=0.1))
    network = Network(architecture(model, (32, 32, 3)))
    x = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3), np.uint8)
    for seed in (0, 1):  # converted for the first weights, used with the second
        network.initialise(seed)
        for _ in range(40):
            network.features({"image": x}, training=True)  # its statistics become those of x
        expected = predict.features(network, Items.of({"image": x}))
        assert expected.std() > 0.1
        got = features._onnx_inference(network)(Items.of({"image": x}))
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)


def test_onnx_runtime_gives_the_same_features(
    network: Network, stored: Items, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = predict.features(network, stored)
    computing = Computing(monkeypatch)
    monkeypatch.setattr(features, "ONNX_FROM_CONVOLUTIONS", 1)
    monkeypatch.setattr(features, "ONNX_FROM_ROWS", ROWS)
    monkeypatch.setattr(features, "ONNX_BATCH", 16)
    with standing_in(Device("cpu", "CPU")):
        got = features_of(network, stored.select(np.arange(ROWS)[::-1]), nothing)
    assert computing.rows == 0
    np.testing.assert_allclose(got, expected[::-1], rtol=1e-5, atol=1e-6)
