"""The packaged graph answers as Keras does, its preprocessing included."""

import resource
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

from app.errors import FailureCode, WorkFailure
from app.spec.backbones import Backbone, Convnet, Mlp
from tests.packaging.pictures import package
from tests.training.trials import architecture
from worker.backbones.network import Network
from worker.packaging import onnx_graph


def network(
    shape: tuple[int, int, int], size: tuple[int, int] | None, convolutions: bool = False
) -> keras.Model:
    inputs = keras.Input(shape)
    x = keras.layers.Rescaling(1 / 255)(inputs)
    if size:
        x = keras.layers.Resizing(*size)(x)
    if convolutions:
        x = keras.layers.Conv2D(8, 3, padding="same")(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.MaxPooling2D()(keras.layers.ReLU()(x))
    x = keras.layers.Dropout(0.5)(keras.layers.Dense(16, "relu")(keras.layers.Flatten()(x)))
    return keras.Model(inputs, keras.layers.Dense(5)(x))


def sample(shape: tuple[int, int, int], items: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (items, *shape), dtype=np.uint8)


CASES = {
    "mlp": ((8, 8, 1), None, False),
    "upscaling": ((8, 8, 1), (28, 28), False),
    "downscaling by an odd factor": ((37, 23, 3), (16, 17), True),
    "convnet": ((28, 28, 1), None, True),
}


@pytest.mark.parametrize(("shape", "size", "convolutions"), CASES.values(), ids=CASES)
def test_the_graph_answers_raw_inputs_as_keras_does(
    shape: tuple[int, int, int],
    size: tuple[int, int] | None,
    convolutions: bool,
    tmp_path: Path,
) -> None:
    keras.utils.set_random_seed(1)
    model = network(shape, size, convolutions)
    packaged = package(model, sample(shape), tmp_path)
    assert packaged.max_difference <= 1e-4

    others = np.random.default_rng(7).uniform(0, 255, (50, *shape)).astype(np.float32)
    expected = keras.ops.convert_to_numpy(keras.ops.softmax(model(others, training=False)))
    session = onnxruntime.InferenceSession(packaged.onnx)
    (answered,) = session.run(["probabilities"], {"inputs": others})
    assert answered.dtype == np.float32
    np.testing.assert_allclose(answered, expected, atol=1e-5)
    np.testing.assert_allclose(answered.sum(axis=1), 1, atol=1e-5)


def test_golden_items_are_raw_inputs_and_the_trainers_probabilities(tmp_path: Path) -> None:
    images = sample((8, 8, 1))
    model = network((8, 8, 1), None)
    packaged = package(model, images, tmp_path)
    with np.load(packaged.golden, allow_pickle=False) as golden:
        assert golden["inputs"].dtype == np.float32
        np.testing.assert_array_equal(golden["inputs"], images[:32])
        assert golden["probabilities"].shape == (32, 5)
    reloaded = keras.models.load_model(packaged.keras)
    np.testing.assert_array_equal(reloaded(images), model(images.astype(np.float32)))


@pytest.mark.parametrize("temperature", [0.3, 2.5])
def test_the_graph_divides_the_logits_by_the_temperature(
    temperature: float, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(1)
    model, images = network((8, 8, 1), None), sample((8, 8, 1))
    packaged = package(model, images, tmp_path, temperature)
    logits = keras.ops.convert_to_numpy(model(images.astype(np.float32)))
    exponentials = np.exp(logits / temperature)
    calibrated = exponentials / exponentials.sum(axis=1, keepdims=True)
    with np.load(packaged.golden, allow_pickle=False) as golden:
        np.testing.assert_allclose(golden["probabilities"], calibrated[:32], atol=1e-5)
    session = onnxruntime.InferenceSession(packaged.onnx)
    (answered,) = session.run(["probabilities"], {"inputs": images.astype(np.float32)})
    np.testing.assert_allclose(answered, calibrated, atol=1e-5)
    np.testing.assert_array_equal(answered.argmax(axis=1), logits.argmax(axis=1))
    reloaded = keras.models.load_model(packaged.keras)
    np.testing.assert_allclose(reloaded(images), logits, atol=1e-4)


def test_what_a_low_temperature_makes_nothing_is_not_held_against_the_graph(tmp_path: Path) -> None:
    """Logits 6 apart are probabilities .0025 apart; divided by .05 they are 120 apart, and float32
    has 0 for e^-120, of which no raw score can be had back."""
    inputs = keras.Input((8, 8, 1))
    head = keras.layers.Dense(2)
    model = keras.Model(inputs, head(keras.layers.Flatten()(inputs)))
    head.kernel.assign(np.zeros((64, 2)))
    head.bias.assign([6.0, 0.0])
    packaged = package(model, sample((8, 8, 1)), tmp_path, 0.05)
    assert packaged.max_difference <= 1e-4
    with np.load(packaged.golden, allow_pickle=False) as golden:
        assert golden["probabilities"][0, 1] == 0


def test_keras_is_asked_in_full_float32_and_the_process_goes_on_as_before(tmp_path: Path) -> None:
    """On a GPU the products of TF32 are .001 off; there this said that the graph was wrong."""
    seen: list[bool] = []

    class Watching(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            seen.append(tf.config.experimental.tensor_float_32_execution_enabled())
            return x

    inputs = keras.Input((8, 8, 1))
    logits = keras.layers.Dense(5)(keras.layers.Flatten()(Watching()(inputs)))
    model = keras.Model(inputs, logits)
    seen.clear()
    assert tf.config.experimental.tensor_float_32_execution_enabled()
    package(model, sample((8, 8, 1)), tmp_path)
    assert seen
    assert not any(seen)
    assert tf.config.experimental.tensor_float_32_execution_enabled()


def test_a_high_temperature_does_not_hide_another_networks_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By it both answer nearly the same, 2e-6 apart; their own probabilities are 3e-4 apart."""
    keras.utils.set_random_seed(1)
    model, images = network((8, 8, 1), None), sample((8, 8, 1))
    export = onnx_graph._export

    def another(*arguments: Any) -> onnx.ModelProto:
        bias = model.layers[-1].bias
        bias.assign([2e-3, 0, 0, 0, 0])
        graph = export(*arguments)
        bias.assign([0.0] * 5)
        return graph

    monkeypatch.setattr(onnx_graph, "_export", another)
    with pytest.raises(WorkFailure, match="of the trained model's, got"):
        package(model, images, tmp_path, 148.0)


def test_a_large_kernel_is_not_copied_again_and_again(tmp_path: Path) -> None:
    """Of 8 MB; the conversion of a constant took 470 MB."""
    inputs = keras.Input((16, 16, 1))
    x = keras.layers.Dense(8192, "relu", name="large")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, keras.layers.Dense(3)(x))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    packaged = package(model, sample((16, 16, 1)), tmp_path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB
    assert grown < 200 * 2**10
    assert packaged.onnx.stat().st_size > 4 * 256 * 8192
    graph = onnx.load(packaged.onnx).graph
    assert [each.name for each in graph.input] == ["inputs"]


def test_a_network_that_answers_nan_is_not_packaged(tmp_path: Path) -> None:
    model = network((8, 8, 1), None)
    model.layers[-1].bias.assign([np.nan] * 5)
    with pytest.raises(
        WorkFailure, match=r"within 0\.0001 of the trained model.s, got nan"
    ) as raised:
        package(model, sample((8, 8, 1)), tmp_path)
    assert raised.value.code is FailureCode.PACKAGE_MISMATCH


NETWORKS = {
    "mlp 8x8 as 28x28": (Mlp(backbone="mlp", image_size=(28, 28)), (8, 8, 1), (0.0, 16.0)),
    "convnet 40x33 as 12x10": (
        Convnet(backbone="convnet", image_size=(12, 10)),
        (40, 33, 3),
        (-1.0, 1.0),
    ),
}


@pytest.mark.parametrize(("model", "shape", "value_range"), NETWORKS.values(), ids=NETWORKS)
def test_our_networks_are_packaged_with_their_preprocessing(
    model: Backbone,
    shape: tuple[int, int, int],
    value_range: tuple[float, float],
    tmp_path: Path,
) -> None:
    network = Network(architecture(model, shape, value_range, classes=7))
    network.initialise(seed=3)
    raw = np.random.default_rng(0).uniform(*value_range, (12, *shape)).astype(np.float32)
    packaged = package(network.raw_model(), raw, tmp_path)
    session = onnxruntime.InferenceSession(packaged.onnx)
    (answered,) = session.run(["probabilities"], {"inputs": raw})
    expected = keras.ops.softmax(network.raw_outputs({"image": raw}))
    np.testing.assert_allclose(answered, keras.ops.convert_to_numpy(expected), atol=1e-5)
    reloaded = keras.models.load_model(packaged.keras)
    np.testing.assert_allclose(reloaded(raw), network.raw_outputs({"image": raw}), atol=1e-4)
