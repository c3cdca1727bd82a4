"""Layers that each operator of ONNX becomes; those that are not here are refused by name."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from worker.importing.onnx_arithmetic import JOINS, arithmetic, dense
from worker.importing.onnx_graph import OnnxNode
from worker.importing.onnx_layers import ANY, OnnxReader, Operator, Value, kept
from worker.importing.onnx_windows import convolution, global_pooling, mean, padding, pooling

UNARY = {"Sigmoid": "sigmoid", "HardSwish": "hard_silu", "Softplus": "softplus"}
SIXTH = 1 / 6


def norm(read: OnnxReader, node: OnnxNode) -> None:
    read.require(node, training_mode=0)
    arrays = [read.constant(node, number) for number in range(1, 5)]
    x = read.value(node, 0)
    if x.order != "first" and len(read.shape(x)) > 1:
        raise read.refuse(node, "channels first")
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    found = [array for array in arrays if array is not None]
    read.give(node, read.add(node, "BatchNormalization", x, arrays=found, epsilon=epsilon))


def relu(read: OnnxReader, node: OnnxNode) -> None:
    read.give(node, read.positive(read.add(node, "ReLU", read.value(node, 0))))


def clip(read: OnnxReader, node: OnnxNode) -> None:
    """Clips from 0 upwards."""
    ends = []
    for number, name in ((1, "min"), (2, "max")):
        given = node.attributes.get(name)
        given = read.constant(node, number) if given is None else given
        ends.append(None if given is None else float(np.ravel(given)[0]))
    low, high = ends
    if low != 0:
        raise read.refuse(node, "a Clip from 0 upwards", "inputs")
    high = None if high is None or high > 1e12 else high
    read.give(node, read.positive(read.add(node, "ReLU", read.value(node, 0), max_value=high)))


def leaky(kind: str, option: str, default: float, read: OnnxReader, node: OnnxNode) -> None:
    options: dict[str, Any] = {option: float(node.attributes.get("alpha", default))}
    read.give(node, read.add(node, kind, read.value(node, 0), **options))


def hard_sigmoid(read: OnnxReader, node: OnnxNode) -> None:
    alpha, beta = (float(node.attributes.get(n, v)) for n, v in (("alpha", 0.2), ("beta", 0.5)))
    if abs(alpha - SIXTH) > 1e-6 or beta != 0.5:
        raise read.refuse(node, "a HardSigmoid of slope 1/6", "attribute")
    activation(read, node, "hard_sigmoid")


def activation(read: OnnxReader, node: OnnxNode, name: str) -> None:
    made = read.add(node, "Activation", read.value(node, 0), activation=name)
    read.give(node, Value(made.place, made.order, name in {"sigmoid", "hard_sigmoid", "softplus"}))


def gelu(read: OnnxReader, node: OnnxNode) -> None:
    read.require(node, approximate=b"none")
    activation(read, node, "gelu")


def softmax(read: OnnxReader, node: OnnxNode) -> None:
    x = read.value(node, 0)
    axis = int(node.attributes.get("axis", -1 if read.graph.opset >= 13 else 1))
    if len(read.shape(x)) != 1 or axis not in {1, -1}:
        raise read.refuse(node, "a Softmax over classes", "attribute")
    read.give(node, read.add(node, "Softmax", x))


def flatten(read: OnnxReader, node: OnnxNode) -> None:
    read.require(node, axis=1)
    x = read.value(node, 0)
    read.give(node, kept(read.flat(node, x), x))


def reshape(read: OnnxReader, node: OnnxNode) -> None:
    """Reshapes to a row of all numbers, or to the form that there is."""
    x, wanted = read.value(node, 0), read.ints(node, "shape", 1) or ()
    if node.attributes.get("allowzero", 0) and 0 in wanted:
        raise read.refuse(node, "a Reshape to more than nothing", "inputs")
    *sides, channels = read.shape(x)
    if tuple(wanted[1:]) == ((channels, *sides) if x.order == "first" else (*sides, channels)):
        read.give(node, x)
        return
    count = int(np.prod(read.shape(x)))
    if len(wanted) != 2 or wanted[0] not in {-1, 0, 1} or wanted[1] not in {-1, count}:
        raise read.refuse(node, "a Reshape to one row per picture", "inputs")
    read.give(node, kept(read.flat(node, x), x))


def squeeze(read: OnnxReader, node: OnnxNode) -> None:
    x = read.value(node, 0)
    axes = {read.axis(node, x, axis) for axis in read.ints(node, "axes", 1) or ()}
    if axes != {0, 1} or read.shape(x)[:2] != (1, 1):
        raise read.refuse(node, "a Squeeze of a height and a width of 1", "inputs")
    read.give(node, kept(read.flat(node, x), x))


def concatenation(read: OnnxReader, node: OnnxNode) -> None:
    given = [read.value(node, number) for number in range(len(node.inputs))]
    axes = {read.axis(node, each, int(node.attributes.get("axis", 1))) for each in given}
    if axes != {ANY} or len({each.order for each in given if len(read.shape(each)) > 1}) > 1:
        raise read.refuse(node, "a Concat of channels", "attribute")
    made = read.add(node, "Concatenate", *given)
    read.give(node, Value(made.place, given[0].order, all(each.is_positive for each in given)))


def transposition(read: OnnxReader, node: OnnxNode) -> None:
    """Between channels first and channels last: nothing."""
    x, order = read.value(node, 0), tuple(node.attributes.get("perm", ()))
    if order == (0, 3, 1, 2) and x.order == "last":
        read.give(node, Value(x.place, "first", x.is_positive))
    elif order == (0, 2, 3, 1) and x.order == "first":
        read.give(node, Value(x.place, "last", x.is_positive))
    else:
        raise read.refuse(node, "a Transpose between channels first and last", "attribute")


def nothing(read: OnnxReader, node: OnnxNode) -> None:
    read.give(node, read.value(node, 0))


def left_out(read: OnnxReader, node: OnnxNode) -> None:
    read.network.left_out.append(node.operator)
    for number in range(1, len(node.inputs)):  # how much is left out in training
        read.constant(node, number)
    nothing(read, node)


def cast(read: OnnxReader, node: OnnxNode) -> None:
    if int(node.attributes.get("to", 0)) not in {1, 10, 11}:
        raise read.refuse(node, "a Cast to floating point", "attribute")
    nothing(read, node)


def _nothing_new(read: OnnxReader, node: OnnxNode) -> None:
    """A Constant, which is known."""
    if node.outputs[0] not in read.graph.constants:
        raise read.refuse(node, "a tensor of numbers", "attribute")
    node.attributes.asked.update(node.attributes)


OPERATORS: Mapping[str, Operator] = {
    "AveragePool": partial(pooling, "AveragePooling2D"),
    "BatchNormalization": norm,
    "Cast": cast,
    "Clip": clip,
    "Concat": concatenation,
    "Constant": _nothing_new,
    "Conv": convolution,
    "Div": arithmetic,
    "Dropout": left_out,
    "Elu": partial(leaky, "ELU", "alpha", 1.0),
    "Flatten": flatten,
    "Gelu": gelu,
    "Gemm": dense,
    "GlobalAveragePool": partial(global_pooling, "GlobalAveragePooling2D"),
    "GlobalMaxPool": partial(global_pooling, "GlobalMaxPooling2D"),
    "HardSigmoid": hard_sigmoid,
    "Identity": nothing,
    "LeakyRelu": partial(leaky, "LeakyReLU", "negative_slope", 0.01),
    "MatMul": dense,
    "MaxPool": partial(pooling, "MaxPooling2D"),
    "Pad": padding,
    "ReduceMean": mean,
    "Relu": relu,
    "Reshape": reshape,
    "Softmax": softmax,
    "Squeeze": squeeze,
    "Tanh": partial(activation, name="tanh"),
    "Transpose": transposition,
    **dict.fromkeys(JOINS, arithmetic),
    **{name: partial(activation, name=ours) for name, ours in UNARY.items()},
}
