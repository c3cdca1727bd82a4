from pathlib import Path

import keras
import numpy as np
import pytest

from tests.packaging.pictures import package
from tests.training.trials import SMALL, schema, spec
from worker.backbones.network import Architecture, Network

COLOURED = schema(3, 30, (32, 32, 3))


def network(backbone: str = "mlp", classes: int = 3, **params: object) -> Network:
    model = spec(backbone, {**SMALL[backbone], **params}).model
    return Network(Architecture.of(model, schema(classes, 30)))


def narrow(backbone: str) -> Architecture:
    """With a bottleneck of 5."""
    model = spec(backbone, SMALL.get(backbone, {})).model
    return Architecture.of(model.model_copy(update={"bottleneck": 5}), COLOURED)


def values(network: Network) -> list[np.ndarray]:
    return [variable.numpy() for variable in network.variables]


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("backbone", SMALL)
def test_initialise_is_a_function_of_the_seed(backbone: str) -> None:
    one, other = network(backbone, dropout=0.5), network(backbone, dropout=0.5)
    one.initialise(5)
    first = values(one)
    one.initialise(6)
    assert not equal(values(one), first)
    ones = {"image": np.ones((4, 8, 8, 1), np.float32)}
    one.features(ones, training=True)  # moves what is not trained
    one.initialise(5)
    other.initialise(5)
    assert equal(values(one), first)
    assert equal(values(other), first)


def test_kernels_are_glorot_uniform() -> None:
    wide = network(hidden=(2000,))
    wide.initialise(0)
    kernel = values(wide)[0]
    limit = np.sqrt(6 / (64 + 2000))
    assert np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.01)
    assert kernel.mean() == pytest.approx(0, abs=limit / 100)


def test_the_fan_of_a_convolution_counts_its_receptive_field() -> None:
    convnet = network("convnet", filters=(64,))
    convnet.initialise(0)
    limit = np.sqrt(6 / (9 * (1 + 64)))
    assert 0.95 * limit < np.abs(values(convnet)[0]).max() <= limit


@pytest.mark.parametrize("backbone", SMALL)
def test_weights_come_back_from_a_file(backbone: str, tmp_path: Path) -> None:
    one, other = network(backbone, dropout=0.5), network(backbone, dropout=0.5)
    one.initialise(1)
    one.features({"image": np.random.default_rng(0).random((8, 8, 8, 1))}, training=True)
    one.save_weights(tmp_path / "weights.npz")
    other.initialise(2)
    other.load_weights(tmp_path / "weights.npz")
    x = np.random.default_rng(1).random((4, 8, 8, 1))
    assert np.array_equal(one.outputs({"image": x}), other.outputs({"image": x}))
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]


def test_names_in_the_file_are_those_of_layers(tmp_path: Path) -> None:
    for _ in range(2):  # the second network's names are the first's
        one = network("convnet", dropout=0.5)
        one.save_weights(tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as stored:
        assert "backbone/convolution_0/kernel" in stored.files
        assert "backbone/norm_0/moving_mean" in stored.files
        assert "head/logits/bias" in stored.files
        assert not [name for name in stored.files if "seed" in name]


def test_the_backbone_is_loaded_and_the_new_head_left(tmp_path: Path) -> None:
    source, target = network(classes=5), network(classes=3)
    source.initialise(1)
    source.save_weights(tmp_path / "weights.npz")
    target.initialise(2)
    head = target.head.get_weights()
    target.load_backbone(tmp_path / "weights.npz")
    assert equal(target.backbone.get_weights(), source.backbone.get_weights())
    assert equal(target.head.get_weights(), head)


def test_weights_that_do_not_fit_are_refused_and_nothing_is_loaded(tmp_path: Path) -> None:
    network(hidden=(13,)).save_weights(tmp_path / "weights.npz")
    other = network()
    other.initialise(0)
    before = values(other)
    with pytest.raises(ValueError, match=r"expected backbone/hidden_0/kernel of shape \(64, 12\)"):
        other.load_backbone(tmp_path / "weights.npz")
    with pytest.raises(ValueError, match="got nothing"):
        network("convnet").load_weights(tmp_path / "weights.npz")
    assert equal(values(other), before)


def test_frozen_batch_norm_keeps_its_statistics_and_uses_them() -> None:
    convnet = network("convnet")
    convnet.initialise(0)
    x = np.random.default_rng(0).random((8, 8, 8, 1)) * 255
    before = values(convnet)
    with convnet.batch_norm_frozen():
        frozen = convnet.outputs({"image": x}, training=True)
    assert equal(values(convnet), before)
    np.testing.assert_allclose(frozen, convnet.outputs({"image": x}), atol=1e-5)
    convnet.outputs({"image": x}, training=True)
    assert not equal(values(convnet), before)


def test_the_raw_model_shares_the_weights_and_can_be_saved(tmp_path: Path) -> None:
    model = spec("convnet", image_size=(12, 12)).model
    one = Network(Architecture.of(model, schema(3, 30)))
    raw = one.raw_model()
    one.initialise(3)
    x = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1)).astype(np.float32)
    np.testing.assert_allclose(raw(x), one.raw_outputs({"image": x}), atol=1e-6)
    raw.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(loaded(x), one.raw_outputs({"image": x}), atol=1e-6)


def test_uint8_and_float32_images_are_the_same_to_the_network() -> None:
    one = network()
    one.initialise(0)
    x = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), dtype=np.uint8)
    as_floats = one.raw_outputs({"image": x.astype(np.float32)})
    assert np.array_equal(one.raw_outputs({"image": x}), as_floats)


@pytest.mark.parametrize("backbone", ["mlp", "convnet", "mobilenet"])
def test_a_bottleneck_is_the_backbones_end(backbone: str) -> None:
    without = Network(Architecture.of(spec(backbone, SMALL.get(backbone, {})).model, COLOURED))
    one = Network(narrow(backbone))
    assert one.feature_count == 5
    assert len(one.backbone.variables) == len(without.backbone.variables) + 5
    one.initialise(0)
    x = np.random.default_rng(0).random((64, 32, 32, 3), np.float32)
    features = one.features({"image": x}, training=True).numpy()
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-4)
    assert features.min() < 0  # no ReLU
    kernel = one.backbone.get_layer("bottleneck").kernel
    assert kernel.shape == (without.feature_count, 5)


def test_a_bottlenecks_statistics_are_frozen_with_the_others() -> None:
    one = Network(narrow("mlp"))
    one.initialise(0)
    x = np.random.default_rng(0).random((8, 32, 32, 3), np.float32)
    before = values(one)
    with one.batch_norm_frozen():
        frozen = one.outputs({"image": x}, training=True)
    assert equal(values(one), before)
    np.testing.assert_allclose(frozen, one.outputs({"image": x}), atol=1e-5)
    one.outputs({"image": x}, training=True)
    assert not equal(values(one), before)


def test_weights_without_the_bottleneck_are_refused(tmp_path: Path) -> None:
    model = spec("mlp", SMALL["mlp"]).model
    Network(Architecture.of(model, COLOURED)).save_weights(tmp_path / "weights.npz")
    with pytest.raises(ValueError, match="expected backbone/bottleneck/kernel of shape"):
        Network(narrow("mlp")).load_backbone(tmp_path / "weights.npz")


def test_a_network_with_a_bottleneck_is_packaged(tmp_path: Path) -> None:
    one = Network(narrow("convnet"))
    one.initialise(0)
    raw = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    one.outputs({"image": raw / np.float32(255)}, training=True)
    packaged = package(one.raw_model(), raw, tmp_path)
    assert packaged.max_difference < 1e-5
    reloaded = keras.models.load_model(packaged.keras)
    np.testing.assert_allclose(reloaded(raw), one.raw_outputs({"image": raw}), atol=1e-5)
