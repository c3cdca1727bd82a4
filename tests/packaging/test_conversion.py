"""A TensorFlow function as an ONNX graph whose weights are inputs, or constants."""

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

from worker.packaging.conversion import OPSET, convert, fix


def answer(graph: onnx.ModelProto, given: dict[str, np.ndarray]) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["product"], given)[0]


def test_an_input_becomes_a_constant() -> None:
    x = np.array([[1, 2]], np.float32)
    weight = keras.Variable(np.array([[1, 2, 3], [4, 5, 6]], np.float32))
    signature = [
        tf.TensorSpec((None, 2), tf.float32, name="x"),
        tf.TensorSpec((2, 3), tf.float32, name="weight"),
    ]
    graph = convert(lambda x, weight: {"product": x @ weight}, signature)
    assert [each.name for each in graph.graph.input] == ["x", "weight"]
    assert {each.version for each in graph.opset_import if not each.domain} == {OPSET}
    other = np.zeros((2, 3), np.float32)
    assert answer(graph, {"x": x, "weight": other}).tolist() == [[0, 0, 0]]

    fix(graph, {"weight": weight})
    assert [each.name for each in graph.graph.input] == ["x"]
    assert answer(graph, {"x": np.repeat(x, 2, axis=0)}).tolist() == [[9, 12, 15]] * 2
    weight.assign(np.zeros((2, 3)))
    assert answer(graph, {"x": x}).tolist() == [[9, 12, 15]]  # what it was then


def test_what_is_captured_and_no_variable_is_named() -> None:
    offset = tf.range(200.0)
    signature = [tf.TensorSpec((None, 200), tf.float32, name="x")]
    with pytest.raises(
        ValueError, match=r"takes \['x'\] alone, got one that takes \['add/y:0'\] too"
    ):
        convert(lambda x: {"sum": x + offset}, signature)
    kept = tf.Variable(offset)
    graph = convert(lambda x: {"sum": x + kept}, signature)
    assert [each.name for each in graph.graph.input] == ["x"]
