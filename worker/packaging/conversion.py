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

    Raises:
        ValueError: the graph wants more inputs than these. tf2onnx makes one of a tensor of more
            than 128 numbers that `function` captures and that is no variable.
    """
    traced = tf.function(function, input_signature=signature, autograph=False)
    graph, _ = tf2onnx.convert.from_function(traced, signature, opset=OPSET)
    takes = {each.name for each in signature}
    if more := [each.name for each in graph.graph.input if each.name not in takes]:
        raise ValueError(f"expected a graph that takes {sorted(takes)} alone, got one that takes "
                         f"{more} too: keep these numbers in weights of a layer")  # fmt: skip
    return graph


def fix(graph: onnx.ModelProto, values: Mapping[str, keras.Variable]) -> None:
    """Turns the inputs of these names into constants: what they are now, kept in the graph."""
    for name, variable in values.items():
        graph.graph.initializer.append(onnx.numpy_helper.from_array(variable.numpy(), name))
    left = [each for each in graph.graph.input if each.name not in values]
    del graph.graph.input[:]  # an initializer that is an input too is no constant
    graph.graph.input.extend(left)
