"""Networks for rows of tables: sizes, members, what one column's change may reach."""

from math import prod
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from app.inputs.columns import CategoryColumn, NumberColumn
from app.inputs.table import TableInputs
from app.spec.backbones import CATALOGUE, Backbone
from app.spec.memory import network_size
from tests.training.tables import SMALL, architecture, rows, table
from worker.backbones.network import Network
from worker.packaging.conversion import convert

NUMBERS = TableInputs(columns=tuple(NumberColumn(name=n, edges=(0, 1, 2)) for n in "ab"))
NAMES = TableInputs(columns=(CategoryColumn(name="c", values=("x", "y")),))


def choice(name: str, **more: Any) -> Backbone:
    return CATALOGUE[name].choice.model_validate({"backbone": name, "params": SMALL[name], **more})


@pytest.mark.parametrize("inputs", [table(), NUMBERS, NAMES], ids=["all", "numbers", "names"])
@pytest.mark.parametrize("bottleneck", [None, 5])
@pytest.mark.parametrize("name", SMALL)
def test_parameters_are_those_that_keras_counts(
    name: str, bottleneck: int | None, inputs: TableInputs
) -> None:
    model = choice(name, bottleneck=bottleneck)
    network = Network(architecture(model, inputs))
    size = network_size(model, inputs.layout, inputs.tokens)
    assert size.parameters == network.backbone.count_params()
    assert size.features == network.feature_count
    outputs = sum(prod(layer.output.shape[1:]) for layer in network.backbone.layers[1:])
    assert 0.5 * outputs <= size.kept <= 3 * outputs


@pytest.mark.parametrize("name", SMALL)
def test_seeds_decide_the_weights(name: str) -> None:
    network = Network(architecture(choice(name)))
    network.initialise(1)
    once = [variable.numpy() for variable in network.variables]
    network.initialise(2)
    other = [variable.numpy() for variable in network.variables]
    network.initialise(1)
    assert all(np.array_equal(a, b) for a, b in zip(once, network.variables, strict=True))
    kernels = [not np.array_equal(a, b) for a, b in zip(once, other, strict=True)]
    assert sum(kernels) >= 2


def test_members_begin_with_one_sign_per_column() -> None:
    network = Network(architecture(choice("tabm")))
    network.initialise(3)
    numbers = network.backbone.get_layer(
        "signs_numbers"
    ).kernel.numpy()  # (members, columns, parts)
    assert set(np.unique(numbers)) == {-1, 1}
    assert (numbers == numbers[:, :, :1]).all()
    assert len(np.unique(numbers[:, :, 0], axis=0)) > 1
    assert (network.backbone.get_layer("scales").kernel.numpy() == 1).all()


def test_features_are_the_mean_of_the_members() -> None:
    network = Network(architecture(choice("tabm", bottleneck=3)))
    network.initialise(0)
    x = network.inputs.seen({"row": tf.constant(rows(6, 1))})
    members = network.members_features(x)
    assert members.shape == (6, 4, 3)
    assert network.members == 4
    np.testing.assert_allclose(network.features(x), members.numpy().mean(1), atol=1e-6)
    mlp = Network(architecture(choice("mlp")))
    assert mlp.members_features(mlp.inputs.seen({"row": rows(6, 1)})).shape == (6, 1, 12)


@pytest.mark.parametrize("name", SMALL)
def test_one_keras_model_answers_as_the_network_does(name: str, tmp_path: Path) -> None:
    network = Network(architecture(choice(name)))
    network.initialise(0)
    raw = rows(6, 1)
    expected = network.raw_outputs({"row": tf.constant(raw)}).numpy()
    network.raw_model().save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(raw), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_the_graph_answers_as_the_network_does(name: str) -> None:
    """Rows with missing values, and as many of them as one likes."""
    network = Network(architecture(choice(name)))
    network.initialise(0)
    model, raw = network.raw_model(), rows(40, 2)
    assert np.isnan(raw).any()
    signature = tf.TensorSpec((None, raw.shape[1]), tf.float32, name="inputs")
    graph = convert(lambda x: model(x, training=False), [signature]).SerializeToString()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    for count in (1, 40):
        (answered,) = session.run(None, {"inputs": raw[:count]})
        expected = network.raw_outputs({"row": tf.constant(raw[:count])})
        np.testing.assert_allclose(answered, expected, atol=1e-5)


def test_a_transformers_tokens_are_of_one_column_each() -> None:
    """Another city changes no token but the city's."""
    network = Network(architecture(choice("ft_transformer")))
    network.initialise(0)
    tokens = keras.Model(network.backbone.input, network.backbone.get_layer("tokens").output)
    one = rows(1, 1)
    other = one.copy()
    other[0, 2] = (one[0, 2] + 1) % 3
    seen = [network.inputs.seen({"row": tf.constant(row)}) for row in (one, other)]
    before, after = (tokens(x).numpy()[0] for x in seen)
    changed = np.abs(before - after).max(1) > 1e-6
    assert changed.sum() == 1
    assert len(before) == 1 + table().tokens
