"""A network for items of several parts: what is missing, what is shared, what is counted."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from app.inputs.columns import NumberColumn
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.photo_features import PhotoFeaturesInputs
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from app.spec.backbones import Fusion
from app.spec.fusion_params import FusionParams
from app.spec.memory import network_size
from app.tasks.classification import Classification
from worker.backbones.network import Architecture, Network

PHOTO = ImageInputs(shape=(8, 8, 3), dtype="uint8", value_range=(0, 255))
ROW = TableInputs(
    columns=(NumberColumn.fit("a", np.arange(30.0)), NumberColumn.fit("b", np.arange(9.0)))
)
INPUTS = JoinedInputs(
    parts=(
        JoinedPart(name="front", inputs=PHOTO),
        JoinedPart(name="back", inputs=PHOTO),
        JoinedPart(name="house", inputs=ROW),
        JoinedPart(name="note", inputs=TextInputs(length=32)),
    )
)
SMALL = {
    "image": {"filters": (4,), "dense": 8},
    "table": {"hidden": (8,)},
    "text": {"filters": 4, "dense": 8, "widths": (2,), "dropout": 0.0},
    "width": 16,
    "hidden": (12,),
}


def network(seed: int = 1, **params: Any) -> Network:
    model = Fusion.model_validate({"backbone": "fusion", "params": SMALL | params})
    made = Network(Architecture(model, INPUTS, Classification(classes=("a", "b"))))
    made.initialise(seed)
    return made


def items(count: int = 6, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "front.image": rng.integers(0, 256, (count, 8, 8, 3)).astype(np.float32),
        "front.present": np.ones(count, np.float32),
        "back.image": rng.integers(0, 256, (count, 8, 8, 3)).astype(np.float32),
        "back.present": np.ones(count, np.float32),
        "house.row": rng.uniform(0, 30, (count, 2)).astype(np.float32),
        "note.text": rng.integers(97, 120, (count, 32)).astype(np.int32),
    }


def test_what_a_missing_picture_holds_does_not_matter() -> None:
    made, one = network(), items()
    one["front.present"][:] = 0
    other = {**one, "front.image": one["front.image"][::-1]}
    np.testing.assert_array_equal(made.compiled_outputs(one), made.compiled_outputs(other))
    there = {**one, "front.present": np.ones(6, np.float32)}
    assert (made.compiled_outputs(one).numpy() != made.compiled_outputs(there).numpy()).all()


def test_the_answer_without_parts_is_that_of_the_mean_of_the_others() -> None:
    """h = Σ m_p W_p f_p / Σ m_p + Σ (1 - m_p) t_p, by hand for the row alone."""
    made, alone = network(), items()
    alone["front.present"][:] = alone["back.present"][:] = 0
    alone["note.text"][:] = 0
    weights = {variable.path: variable.numpy() for variable in made.backbone.variables}
    seen = {name: tensor.numpy() for name, tensor in made.inputs.seen(alone).items()}
    assert [seen[f"{part.name}.present"].mean() for part in INPUTS.parts] == [0, 0, 1, 0]
    x = np.concatenate([seen["house.numbers"].reshape(6, -1)], axis=1)
    f = np.maximum(x @ weights["house_hidden_0/kernel"] + weights["house_hidden_0/bias"], 0)
    h = f @ weights["house_projection/kernel"] + weights["house_projection/bias"]
    h = np.maximum(h + weights["missing/kernel"][[0, 1, 3]].sum(0), 0)
    expected = np.maximum(h @ weights["together_0/kernel"] + weights["together_0/bias"], 0)
    np.testing.assert_allclose(made.compiled_features(alone), expected, atol=1e-5)


def test_pictures_share_one_network_unless_each_is_to_have_its_own() -> None:
    shared = [v.path for v in network().backbone.variables if "convolution_0/kernel" in v.path]
    apart = network(shares_images=False)
    own = [v.path for v in apart.backbone.variables if "convolution_0/kernel" in v.path]
    assert len(shared) == 1
    assert own == ["front_convolution_0/kernel", "back_convolution_0/kernel"]


@pytest.mark.parametrize(
    "params", [{}, {"shares_images": False}, {"parts": ("house",)}, {"parts": ("front", "back")}]
)
def test_parameters_are_counted_exactly(params: dict[str, Any]) -> None:
    made = network(**params)
    held = sum(int(np.prod(variable.shape)) for variable in made.backbone.variables)
    model = made.architecture.model
    assert network_size(model, INPUTS.layout, INPUTS.tokens).parameters == held
    assert made.feature_count == 12


def test_parts_that_are_not_looked_at_change_nothing() -> None:
    made, one = network(parts=("house",)), items()
    other = {**items(seed=5), "house.row": one["house.row"]}
    np.testing.assert_array_equal(made.compiled_outputs(one), made.compiled_outputs(other))


def test_weights_are_saved_and_loaded(tmp_path: Any) -> None:
    one, other = network(1), network(2)
    one.save_weights(tmp_path / "weights.npz")
    other.load_weights(tmp_path / "weights.npz")
    np.testing.assert_array_equal(one.compiled_outputs(items()), other.compiled_outputs(items()))
    one.raw_model().save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(items()), one.compiled_outputs(items()), atol=1e-5)


def test_parts_go_missing_by_chance_but_never_all() -> None:
    layers = network().inputs
    raw = {name: tf.constant(values) for name, values in items(2000).items()}
    changed = layers.without_parts(raw, 0.3, tf.constant([3, 4], tf.int64))
    again = layers.without_parts(raw, 0.3, tf.constant([3, 4], tf.int64))
    seen, same = layers.seen(changed), layers.seen(again)
    known = np.concatenate([seen[f"{part.name}.present"] for part in INPUTS.parts], axis=1)
    assert (known.max(axis=1) == 1).all()
    # A picture stays with .7 where its modality does, with .7; what would lack all keeps one.
    np.testing.assert_allclose(known.mean(axis=0), [0.49, 0.49, 0.7, 0.7], atol=0.04)
    both_gone = (known[:, :2].max(axis=1) == 0).mean()
    assert both_gone == pytest.approx(0.3 + 0.7 * 0.3**2, abs=0.04)
    for name, tensor in seen.items():
        np.testing.assert_array_equal(tensor, same[name])
    np.testing.assert_array_equal(changed["front.image"], raw["front.image"])


def test_a_part_that_was_missing_stays_so() -> None:
    layers, held = network().inputs, items(400)
    held["front.present"][:] = 0
    held["note.text"][:] = 0
    held["house.row"][:200] = np.nan
    raw = {name: tf.constant(values) for name, values in held.items()}
    seen = layers.seen(layers.without_parts(raw, 0.5, tf.constant([1, 2], tf.int64)))
    known = np.concatenate([seen[f"{part.name}.present"] for part in INPUTS.parts], axis=1)
    assert not known[:, [0, 3]].any()
    assert (known[:200, 1] == 1).all()
    assert (known[200:].sum(axis=1) >= 1).all()


def test_views_change_each_part_by_a_seed_of_its_own() -> None:
    layers, held = network().inputs, items()
    held["back.image"] = held["front.image"]
    seen = layers.seen({name: tf.constant(values) for name, values in held.items()})
    strong = layers.strong(seen, tf.constant([1, 2], tf.int64))
    assert strong.keys() == seen.keys()
    assert (strong["front.image"].numpy() != strong["back.image"].numpy()).any()
    np.testing.assert_array_equal(strong["front.present"], seen["front.present"])


def test_what_of_its_parameters_does_not_fit_is_said_where_it_is() -> None:
    deep = FusionParams.model_validate(SMALL | {"image": {"filters": (4, 4, 4, 4)}})
    code, finding = deep.misfit(INPUTS.layout) or ("", None)
    assert (code, finding and finding.pointer) == (
        "too_many_layers",
        "#/model/params/image/filters",
    )
    code, finding = FusionParams(parts=("garden",)).misfit(INPUTS.layout) or ("", None)
    assert (code, finding and finding.pointer) == ("unknown_part", "#/model/params/parts")
    assert FusionParams.model_validate(SMALL).misfit(INPUTS.layout) is None


FEATURES = PhotoFeaturesInputs(
    shape=(1280,),
    value_range=None,
    weights="efficientnet_lite0:imagenet",
    digest="0" * 64,
    size=(128, 128),
)
SEEN = INPUTS.model_copy(
    update={
        "parts": tuple(
            part.model_copy(update={"inputs": FEATURES}) if part.inputs == PHOTO else part
            for part in INPUTS.parts
        )
    }
)


def frozen(**photos: Any) -> Network:
    params = {**SMALL, "photos": {"backbone": "efficientnet_lite0", "dense": 6, **photos}}
    model = Fusion.model_validate({"backbone": "fusion", "params": params})
    made = Network(Architecture(model, SEEN, Classification(classes=("a", "b"))))
    made.initialise(1)
    return made


def with_features(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    given = {name: values for name, values in items(seed=seed).items() if ".image" not in name}
    for part in ("front", "back"):
        given[f"{part}.features"] = rng.uniform(0, 3, (6, 1280)).astype(np.float32)
    return given


def test_features_of_a_frozen_network_are_scaled_within_a_picture() -> None:
    """By hand: mean 0, deviation 1, one dense layer of all pictures, and the part's projection."""
    made, alone = frozen(), with_features()
    alone["back.present"][:] = 0
    alone["house.row"][:] = np.nan
    alone["note.text"][:] = 0
    weights = {variable.path: variable.numpy() for variable in made.backbone.variables}
    x = alone["front.features"]
    x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-3)
    f = np.maximum(x @ weights["photos/kernel"] + weights["photos/bias"], 0)
    h = f @ weights["front_projection/kernel"] + weights["front_projection/bias"]
    h = np.maximum(h + weights["missing/kernel"][[1, 2, 3]].sum(0), 0)
    expected = np.maximum(h @ weights["together_0/kernel"] + weights["together_0/bias"], 0)
    np.testing.assert_allclose(made.compiled_features(alone), expected, atol=1e-5)


@pytest.mark.parametrize("is_shared", [True, False])
def test_what_learns_on_frozen_features_is_counted_exactly(is_shared: bool) -> None:
    params = {**SMALL, "photos": {"backbone": "efficientnet_lite0"}, "shares_images": is_shared}
    model = Fusion.model_validate({"backbone": "fusion", "params": params})
    made = Network(Architecture(model, SEEN, Classification(classes=("a", "b"))))
    held = sum(int(np.prod(variable.shape)) for variable in made.backbone.trainable_variables)
    assert network_size(model, SEEN.layout, SEEN.tokens).parameters == held
    assert network_size(model, INPUTS.layout, INPUTS.tokens).parameters == held


def test_a_picture_without_features_of_its_own_is_none() -> None:
    made, one = frozen(), with_features()
    one["front.present"][:] = 0
    other = {**one, "front.features": one["front.features"][::-1]}
    np.testing.assert_array_equal(made.compiled_outputs(one), made.compiled_outputs(other))
