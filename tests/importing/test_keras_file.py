"""A network that came in a file answers as it did where it was trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from app.errors import WorkFailure
from app.models.importing import ImportSpec
from app.spec.memory import network_size
from tests.importing import archives
from worker.backbones.network import Network
from worker.importing.keras_file import read_keras
from worker.importing.network import ImportedNetwork


def read(model: keras.Model, folder: Path, **members: Any) -> ImportedNetwork:
    path = archives.saved(model, folder / "n.keras")
    return read_keras(path, ImportSpec.model_validate(archives.spec(**members)), folder, 2**26)


def raw(found: ImportedNetwork) -> np.ndarray:
    shape = found.signature.inputs.layout
    return np.random.default_rng(0).integers(0, 256, (5, *shape)).astype(np.float32)


def scores(found: ImportedNetwork) -> np.ndarray:
    logits = found.network.raw_outputs({"image": raw(found)})
    return np.asarray(keras.ops.softmax(logits))


def refusal(model: keras.Model, folder: Path, **members: Any) -> tuple[str, str | None]:
    with pytest.raises(WorkFailure) as caught:
        read(model, folder, **members)
    return caught.value.reason, caught.value.pointer


def test_a_plane_of_pixels_with_a_scaling_of_its_own(tmp_path: Path) -> None:
    model = archives.plane()
    found = read(model, tmp_path)
    assert found.signature.inputs.shape == (6, 5, 1)
    assert found.signature.task.names == tuple(archives.CLASSES)
    np.testing.assert_allclose(scores(found), model(raw(found)[..., 0]), atol=1e-6)
    assert (found.told["layers"], found.told["features"]) == (6, 7)


def test_models_within_models_with_batch_norm_and_a_sigmoid(tmp_path: Path) -> None:
    model = archives.nested()
    found = read(model, tmp_path, inputs={"expects": [0, 1]}, classes=["no", "yes"])
    yes = np.asarray(model(raw(found) / 255))[:, 0]
    assert 0.01 < yes.min() < yes.max() < 0.99
    np.testing.assert_allclose(scores(found), np.stack([1 - yes, yes], 1), atol=1e-5)
    assert found.told["left_out"] == ["GaussianNoise"]
    assert len(found.network.norms) == 1


def test_a_layer_that_is_called_twice_has_its_weights_once(tmp_path: Path) -> None:
    model = archives.shared()
    found = read(model, tmp_path, inputs={"expects": [-1, 1]})
    expected = keras.ops.softmax(model(raw(found) / 127.5 - 1))
    np.testing.assert_allclose(scores(found), expected, atol=1e-5)
    convolutions = [w for w in found.network.backbone.weights if len(w.shape) == 4]
    assert len(convolutions) == 1


def test_pictures_are_standardised_as_the_network_was_trained(tmp_path: Path) -> None:
    model = archives.nested()
    expects = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}
    found = read(model, tmp_path, inputs={"expects": expects}, classes=["no", "yes"])
    seen = (raw(found) / 255 - np.array(expects["mean"])) / np.array(expects["std"])
    yes = np.asarray(model(seen.astype(np.float32)))[:, 0]
    np.testing.assert_allclose(scores(found)[:, 1], yes, atol=1e-5)


@pytest.mark.parametrize("make", [archives.plane, archives.nested, archives.shared])
def test_it_is_counted_without_keras_as_keras_counts_it(
    make: Callable[[], keras.Model], tmp_path: Path
) -> None:
    found = read(make(), tmp_path, classes=None, head="drop")
    model = found.network.architecture.model
    size = network_size(model, found.signature.inputs.layout)
    weights = found.network.backbone.weights
    assert size.parameters == sum(int(np.prod(weight.shape)) for weight in weights)
    assert size.features == found.network.feature_count
    assert model.params.has_batch_norm == bool(found.network.norms)


def test_features_without_a_head(tmp_path: Path) -> None:
    """`drop` leaves the last dense layer off, `none` takes all there is, a picture's mean."""
    model = archives.nested()
    end = keras.Model(model.input, model.layers[-1].input)
    found = read(model, tmp_path, inputs={"expects": [0, 1]}, classes=None, head="drop")
    features = found.network.raw_features({"image": raw(found)})
    np.testing.assert_allclose(features, end(raw(found) / 255), atol=1e-5)
    assert found.signature.task.names == ()
    body = keras.Model(model.input, model.layers[-3].output)
    found = read(body, tmp_path, inputs={"expects": [0, 1]}, classes=None, head="none")
    features = found.network.raw_features({"image": raw(found)})
    expected = np.asarray(body(raw(found) / 255)).mean((1, 2))
    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_augmentation_is_left_out_however_it_is_called(tmp_path: Path) -> None:
    """Keras writes `training: true` into the calls of its layers that change pictures."""
    pictures = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(keras.layers.RandomFlip()(pictures))
    found = read(keras.Model(pictures, keras.layers.Dense(3)(flat)), tmp_path)
    assert found.told["left_out"] == ["RandomFlip"]


def test_the_same_structure_starts_afresh_from_a_seed(tmp_path: Path) -> None:
    found = read(archives.nested(), tmp_path, inputs={"expects": [0, 1]}, classes=["no", "yes"])
    network = Network(found.network.architecture)
    drawn = []
    for seed in (1, 1, 2):
        network.initialise(seed)
        drawn.append([variable.numpy() for variable in network.backbone.weights])
    for one, same, other, variable in zip(*drawn, network.backbone.weights, strict=True):
        np.testing.assert_array_equal(one, same)
        if variable.path.endswith("kernel"):
            assert not np.array_equal(one, other)
            assert one.std() > 0
        else:
            np.testing.assert_array_equal(one, other)


def test_weights_are_stored_and_loaded_as_any_network_s(tmp_path: Path) -> None:
    found = read(archives.shared(), tmp_path)
    found.network.save_weights(tmp_path / "weights.npz")
    network = Network(found.network.architecture)
    network.load_weights(tmp_path / "weights.npz")
    items = {"image": raw(found)}
    np.testing.assert_array_equal(network.raw_outputs(items), found.network.raw_outputs(items))


def test_what_the_spec_says_is_held_against_the_file(tmp_path: Path) -> None:
    plane = archives.plane()
    assert refusal(plane, tmp_path, classes=["a", "b"]) == ("class_count", "#/spec/classes")
    wrong = {"shape": [6, 5, 3]}
    assert refusal(plane, tmp_path, inputs=wrong) == ("shape_mismatch", "#/spec/inputs/shape")
    bad = {"expects": {"mean": [0.1, 0.2], "std": [1]}}
    code, pointer = refusal(plane, tmp_path, inputs=bad)
    assert (code, pointer) == ("shape_mismatch", "#/spec/inputs/expects/mean")


def test_a_shape_that_the_file_leaves_open_is_asked_for(tmp_path: Path) -> None:
    pictures = keras.Input((None, None, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(pictures))
    model = keras.Model(pictures, keras.layers.Dense(3)(x))
    assert refusal(model, tmp_path) == ("shape_unknown", "#/spec/inputs/shape")
    found = read(model, tmp_path, inputs={"shape": [9, 8, 3]})
    assert found.signature.inputs.shape == (9, 8, 3)


def test_heads_that_are_none(tmp_path: Path) -> None:
    several = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "sigmoid")]
    )
    code, pointer = refusal(several, tmp_path)
    assert code == "head_activation"
    assert pointer == "#/file/config.json/config/layers/2/config/activation"
    without = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(3, 2)])
    assert refusal(without, tmp_path)[0] == "no_head"
    two = keras.Model([first := keras.Input((3,)), second := keras.Input((3,))], first + second)
    assert refusal(two, tmp_path)[0] in {"several_inputs", "unknown_layer"}


def test_several_outputs_are_refused_with_what_to_save_instead(tmp_path: Path) -> None:
    pictures = keras.Input((6, 5))
    flat = keras.layers.Flatten()(pictures)
    model = keras.Model(pictures, [keras.layers.Dense(3)(flat), keras.layers.Dense(2)(flat)])
    code, pointer = refusal(model, tmp_path)
    assert code == "several_outputs"
    assert pointer == "#/file/config.json/config/output_layers"


def test_a_layer_that_nothing_calls_is_passed_over(tmp_path: Path) -> None:
    """What a Normalization has learnt is looked for by what it takes, which this one never does."""

    def with_another(config: Any) -> Any:
        layers = config["config"]["layers"]
        own = next(each for each in layers if each["class_name"] == "Normalization")
        named = own["config"] | {"name": "lonely"}
        layers.append(own | {"name": "lonely", "config": named, "inbound_nodes": []})
        return config

    whole = archives.saved(archives.nested(), tmp_path / "nested.keras")
    path = archives.tampered(whole, tmp_path / "lonely.keras", with_another)
    spec = ImportSpec.model_validate(archives.spec(classes=["a", "b"]))
    found, plain = (read_keras(each, spec, tmp_path, 2**22) for each in (path, whole))
    assert found.told["parameters"] == plain.told["parameters"]
