"""TensorFlow functions as ONNX graphs, by tf2onnx: no other file calls it.

tf2onnx is pinned exactly, because it has sought a maintainer since February 2026
(onnx/tensorflow-onnx#2430): a converter that takes its place is a change of this file.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import onnx
import tensorflow as tf
import tf2onnx

OPSET = 18


def convert(function: Callable[..., Any], signature: Sequence[tf.TensorSpec]) -> onnx.ModelProto:
    """Traces `function` and converts it.

    Args:
        function: tensors of `signature` -> a tensor, or a dict whose keys name the outputs.
        signature: its arguments, whose names are the graph's inputs; a dimension None is free.
    """
    traced = tf.function(function, input_signature=signature, autograph=False)
    graph, _ = tf2onnx.convert.from_function(traced, signature, opset=OPSET)
    return graph


def fix(graph: onnx.ModelProto, values: Mapping[str, keras.Variable]) -> None:
    """Turns the inputs of these names into constants: what they are now, kept in the graph."""
    for name, variable in values.items():
        graph.graph.initializer.append(onnx.numpy_helper.from_array(variable.numpy(), name))
    left = [each for each in graph.graph.input if each.name not in values]
    del graph.graph.input[:]  # an initializer that is an input too is no constant
    graph.graph.input.extend(left)
