"""Networks for texts: sizes, lengths, case, and the same of the ONNX graph."""

from math import prod
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from app.inputs.text import TEXT, TextInputs, coded
from app.spec.memory import network_size
from app.spec.text_choices import Charconv
from app.spec.text_params import PRIMES, CharconvParams
from app.tasks.classification import Classification
from worker.backbones.network import Architecture, Network
from worker.inputs.text_folding import folded, lower_case
from worker.packaging.conversion import convert

INPUTS = TextInputs(length=32)
SMALL = CharconvParams(embedding=4, widths=(1, 3), filters=5, dense=6, dropout=0.1)


def network(params: CharconvParams = SMALL, bottleneck: int | None = None) -> Network:
    model = Charconv(backbone="charconv", params=params, bottleneck=bottleneck)
    made = Network(Architecture(model, INPUTS, Classification(classes=("", "")).nameless))
    made.initialise(0)
    return made


def logits(made: Network, texts: list[str], length: int = 32) -> np.ndarray:
    found: np.ndarray = made.outputs({TEXT: tf.constant(coded(texts, length))}).numpy()
    return found


@pytest.mark.parametrize("bottleneck", [None, 3])
@pytest.mark.parametrize("params", [SMALL, SMALL.model_copy(update={"dropout": 0.0})])
def test_parameters_are_those_that_keras_counts(
    params: CharconvParams, bottleneck: int | None
) -> None:
    made = network(params, bottleneck)
    model = made.architecture.model
    size = network_size(model, INPUTS.layout, INPUTS.tokens)
    assert size.parameters == made.backbone.count_params()
    assert size.features == made.feature_count
    kernels = [v for v in made.backbone.variables if len(v.shape) == 3]
    assert size.convolutions == sum(prod(v.shape) for v in kernels)


def test_no_two_characters_share_both_rows() -> None:
    codes = np.arange(1, 0x110000)
    pairs = codes % PRIMES[0] * PRIMES[1] + codes % PRIMES[1]
    assert len(np.unique(pairs)) == len(codes)


def test_what_stands_after_a_text_counts_for_nothing() -> None:
    made = network()
    short, long = logits(made, ["a fine place"]), logits(made, ["a fine place"], 96)
    assert short == pytest.approx(long, abs=1e-6)
    assert np.isfinite(made.outputs({TEXT: tf.zeros((1, 32), tf.int32)}).numpy()).all()


def test_case_and_width_of_letters_count_for_nothing() -> None:
    assert folded(coded(["ÀΣЖＡ！猫"], 8)).tolist() == coded(["àσжa!猫"], 8).tolist()
    assert lower_case()[ord("İ")] == ord("İ")  # whose lower case is two characters
    found = logits(network(), ["Fine ÉTÉ", "fine été", "ｆine été"])
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    assert not np.array_equal(*logits(network(), ["fine", "mine"]))


def test_the_graph_answers_as_keras_does(tmp_path: Path) -> None:
    made = network()
    raw = made.raw_model()
    spec = tf.TensorSpec((None, 32), tf.int32, name="inputs")
    graph = convert(lambda inputs: {"logits": raw(inputs)}, [spec])
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    codes = INPUTS.extremes({TEXT: coded(["Ünïcode 谢谢 😀"], 32)})[TEXT]
    (answered,) = session.run(None, {"inputs": codes})
    assert answered == pytest.approx(raw(tf.constant(codes)).numpy(), abs=1e-5)
