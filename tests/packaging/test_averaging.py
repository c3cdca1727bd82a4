"""Several networks as one graph that answers the mean of their answers."""

from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from app.inputs.image import IMAGE, ImageInputs
from app.models.schemas import Signature
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from worker.objectives import objective_of
from worker.packaging.averaging import averaged_model, drop_twins
from worker.packaging.onnx_graph import Packaged, package

SHAPE = (12, 12, 1)
FIVE = tuple("abcde")


def backbone(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(SHAPE)
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.Conv2D(8, 3)(x)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(inputs, keras.layers.Dense(64, "relu")(keras.layers.Flatten()(x)))


def with_head(features: keras.Model, seed: int, outputs: int) -> keras.Model:
    keras.utils.set_random_seed(100 + seed)
    return keras.Model(features.input, 5 * keras.layers.Dense(outputs)(features.output))


def images(items: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (items, *SHAPE), dtype=np.uint8)


def packaged(
    members: list[keras.Model], task: Task, folder: Path, temperature: float | None = None
) -> Packaged:
    inputs = ImageInputs(shape=SHAPE, dtype="uint8", value_range=(0, 255))
    signature = Signature(inputs=inputs, task=task, temperature=temperature)
    whole = averaged_model(members, objective_of(task))
    return package(whole, {IMAGE: images()}, folder, signature, None, members)


def answered(found: Packaged, name: str) -> np.ndarray:
    session = onnxruntime.InferenceSession(found.onnx)
    (answer,) = session.run([name], {"inputs": images().astype(np.float32)})
    return np.asarray(answer)


def outputs_of(members: list[keras.Model]) -> np.ndarray:
    return np.stack([member.predict(images(), verbose=0) for member in members]).astype(float)


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("temperature", [None, 0.5, 2.5])
def test_probabilities(temperature: float | None, tmp_path: Path) -> None:
    members = [with_head(backbone(seed), seed, 5) for seed in range(3)]
    found = packaged(members, Classification(classes=FIVE), tmp_path, temperature)
    mean = softmax(outputs_of(members)).mean(axis=0)
    powers = mean ** (1 / (temperature or 1))
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answered(found, "probabilities"), expected, atol=1e-5)
    assert found.max_difference < 1e-5
    archive = keras.models.load_model(found.keras)
    np.testing.assert_allclose(
        softmax(np.asarray(archive(images().astype(np.float32)))), mean, atol=1e-5
    )


def test_scores_of_labels(tmp_path: Path) -> None:
    members = [with_head(backbone(seed), seed, 5) for seed in range(3)]
    task = MultiLabel(labels=FIVE)
    expected = (1 / (1 + np.exp(-outputs_of(members)))).mean(axis=0)
    found = answered(packaged(members, task, tmp_path), task.answers)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_quantities(tmp_path: Path) -> None:
    members = [with_head(backbone(seed), seed, 1) for seed in range(2)]
    task = Regression(mean=100.0, std=20.0)
    expected = 100 + 20 * outputs_of(members).mean(axis=0)
    found = answered(packaged(members, task, tmp_path), task.answers)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_what_members_share_stands_in_the_graph_once(tmp_path: Path) -> None:
    """Three heads on one frozen backbone cost two heads more than one; three backbones do not."""
    shared, task = backbone(0), Classification(classes=FIVE)
    of_one, of_three = tmp_path / "one", tmp_path / "three"
    for folder in (of_one, of_three):
        folder.mkdir()
    heads = packaged([with_head(shared, seed, 5) for seed in range(3)], task, of_one)
    apart = packaged([with_head(backbone(seed), seed, 5) for seed in range(3)], task, of_three)
    kernels = {
        path: sum(
            int(np.prod(each.dims)) for each in onnx.load(path).graph.initializer if each.dims
        )
        for path in (heads.onnx, apart.onnx)
    }
    # convolution with its BatchNorm, dense layer, heads; biases are 0, and equal ones stand once
    backbone_size, head_size = 9 * 8 + 8 + 800 * 64 + 64, 64 * 5 + 5
    assert kernels[heads.onnx] == pytest.approx(backbone_size + 3 * head_size, abs=120)
    assert kernels[apart.onnx] == pytest.approx(3 * (backbone_size + head_size), abs=360)
    assert heads.cost
    assert apart.cost
    assert heads.cost.bytes < 1.3 * heads.cost.single_bytes
    assert 2.5 < apart.cost.bytes / apart.cost.single_bytes < 3.5
    assert apart.cost.milliseconds > 0 < apart.cost.single_milliseconds


def test_twins_are_what_computes_the_same_of_the_same() -> None:
    """a = x + 1, b = x + 1 by another name of 1, c = x + 2; y = a b c."""
    ones = [numpy_helper.from_array(np.ones(1, np.float32), name) for name in ("one", "eins")]
    two = numpy_helper.from_array(np.full(1, 2, np.float32), "two")
    nodes = [
        helper.make_node("Add", ["x", of], [to])
        for of, to in (("one", "a"), ("eins", "b"), ("two", "c"))
    ]
    nodes += [
        helper.make_node("Mul", ["a", "b"], ["ab"]),
        helper.make_node("Mul", ["ab", "c"], "y"),
    ]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph(nodes, "g", [x], [y], [*ones, two])
    drop_twins(graph)
    assert [each.name for each in graph.initializer] == ["one", "two"]
    assert [[*node.input] for node in graph.node] == [
        ["x", "one"],
        ["x", "two"],
        ["a", "a"],
        ["ab", "c"],
    ]


def test_what_is_drawn_at_random_has_no_twin_and_an_output_of_the_graph_stays() -> None:
    nodes = [helper.make_node("RandomUniformLike", ["x"], [name]) for name in "ab"]
    nodes += [helper.make_node("Neg", ["x"], [name]) for name in ("y", "z")]
    x, y, z = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xyz")
    graph = helper.make_graph(nodes, "g", [x], [y, z])
    drop_twins(graph)
    assert [node.output[0] for node in graph.node] == ["a", "b", "y", "z"]
