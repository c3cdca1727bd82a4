"""What each operator of ONNX becomes; those that are not here are refused by name."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from worker.importing.onnx_graph import Node
from worker.importing.onnx_layers import ANY, OnnxReader, Operator, Value

UNARY = {"Sigmoid": "sigmoid", "HardSwish": "hard_silu", "Softplus": "softplus", "Gelu": "gelu"}
JOINS = {
    "Add": "Add",
    "Sum": "Add",
    "Sub": "Subtract",
    "Mul": "Multiply",
    "Max": "Maximum",
    "Min": "Minimum",
    "Mean": "Average",
}
SIXTH = 1 / 6


def convolution(read: OnnxReader, node: Node) -> None:
    x, kernel = read.value(node, 0), read.constant(node, 1)
    bias = read.constant(node, 2)
    shape = read.shape(x)
    if kernel is None or kernel.ndim != 4 or len(shape) != 3 or x.order != "first":
        raise read.refuse(node, "a convolution over pictures, channels first")
    groups, outputs, channels = int(node.attributes.get("group", 1)), kernel.shape[0], shape[2]
    x, padding = _padded(read, node, x, kernel.shape[2:])
    options: dict[str, Any] = {
        "kernel_size": list(kernel.shape[2:]),
        "strides": list(read.ints(node, "strides") or (1, 1)),
        "dilation_rate": list(read.ints(node, "dilations") or (1, 1)),
        "padding": padding,
        "use_bias": bias is not None,
    }
    biases = [] if bias is None else [bias]
    is_depthwise = groups == channels > 1 and options["strides"][0] == options["strides"][1]
    if is_depthwise and outputs % channels == 0:
        ours = kernel.transpose(2, 3, 0, 1).reshape(*kernel.shape[2:], channels, -1)
        options["depth_multiplier"] = outputs // channels
        made = read.add(node, "DepthwiseConv2D", x, arrays=[ours, *biases], **options)
    elif groups > 1:
        raise read.refuse(
            node, "a convolution of one group, or of as many as channels", "attribute"
        )
    else:
        ours = kernel.transpose(2, 3, 1, 0)
        options["filters"] = outputs
        made = read.add(node, "Conv2D", x, arrays=[ours, *biases], **options)
    read.give(node, made)


def _padded(
    read: OnnxReader, node: Node, x: Value, side: tuple[int, ...], is_zero: bool = True
) -> tuple[Value, str]:
    """What is padded by as many rows and columns as the graph says, and how Keras goes on.
    `is_zero`: with zeros; else with what loses against any number, as a maximum has it."""
    auto = node.attributes.get("auto_pad", b"NOTSET")
    if auto == b"SAME_UPPER":
        return x, "same"
    if auto not in {b"NOTSET", b"VALID", b""}:
        raise read.refuse(node, "padding in numbers, or SAME_UPPER", "attribute")
    pads = read.ints(node, "pads") or (0, 0, 0, 0)
    if auto == b"VALID" or not any(pads):
        return x, "valid"
    if len(pads) != 4 or not (is_zero or x.is_positive):
        raise read.refuse(node, "padding of a picture, with zeros or after a ReLU", "attribute")
    edges = [[pads[0], pads[2]], [pads[1], pads[3]]]
    return read.add(node, "ZeroPadding2D", x, padding=edges), "valid"


def pooling(kind: str, read: OnnxReader, node: Node) -> None:
    read.require(node, ceil_mode=0, dilations=[1, 1], storage_order=0)
    x, side = read.value(node, 0), read.ints(node, "kernel_shape") or ()
    is_mean = kind == "AveragePooling2D"
    if len(node.outputs) > 1 or len(side) != 2 or x.order != "first":
        raise read.refuse(node, "pooling over pictures, channels first")
    padded, padding = _padded(read, node, x, side, is_zero=is_mean)
    counts = bool(node.attributes.get("count_include_pad", 0))
    if is_mean and counts != (padded is not x) and (padded is not x or padding == "same"):
        raise read.refuse(node, "count_include_pad 1 with padding in numbers", "attribute")
    strides = list(read.ints(node, "strides") or (1, 1))
    made = read.add(node, kind, padded, pool_size=list(side), strides=strides, padding=padding)
    read.give(node, Value(made.place, made.order, x.is_positive))


def global_pooling(kind: str, read: OnnxReader, node: Node) -> None:
    x = read.value(node, 0)
    read.give(node, Value(read.add(node, kind, x, keepdims=True).place, x.order, x.is_positive))


def mean(read: OnnxReader, node: Node) -> None:
    """Over height and width."""
    x = read.value(node, 0)
    axes = {read.axis(node, x, axis) for axis in read.ints(node, "axes", 1) or ()}
    if axes != {0, 1}:
        raise read.refuse(node, "a mean over height and width", "attribute")
    keeps = bool(node.attributes.get("keepdims", 1))
    made = read.add(node, "GlobalAveragePooling2D", x, keepdims=keeps)
    read.give(node, Value(made.place, x.order, x.is_positive))


def norm(read: OnnxReader, node: Node) -> None:
    read.require(node, training_mode=0)
    arrays = [read.constant(node, number) for number in range(1, 5)]
    x = read.value(node, 0)
    if x.order != "first" and len(read.shape(x)) > 1:
        raise read.refuse(node, "channels first")
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    found = [array for array in arrays if array is not None]
    read.give(node, read.add(node, "BatchNormalization", x, arrays=found, epsilon=epsilon))


def relu(read: OnnxReader, node: Node) -> None:
    read.give(node, read.positive(read.add(node, "ReLU", read.value(node, 0))))


def clip(read: OnnxReader, node: Node) -> None:
    """From 0 upwards."""
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


def leaky(kind: str, option: str, default: float, read: OnnxReader, node: Node) -> None:
    options: dict[str, Any] = {option: float(node.attributes.get("alpha", default))}
    read.give(node, read.add(node, kind, read.value(node, 0), **options))


def hard_sigmoid(read: OnnxReader, node: Node) -> None:
    alpha, beta = (float(node.attributes.get(n, v)) for n, v in (("alpha", 0.2), ("beta", 0.5)))
    if abs(alpha - SIXTH) > 1e-6 or beta != 0.5:
        raise read.refuse(node, "a HardSigmoid of slope 1/6", "attribute")
    activation(read, node, "hard_sigmoid")


def activation(read: OnnxReader, node: Node, name: str) -> None:
    made = read.add(node, "Activation", read.value(node, 0), activation=name)
    read.give(node, Value(made.place, made.order, name in {"sigmoid", "hard_sigmoid", "softplus"}))


def softmax(read: OnnxReader, node: Node) -> None:
    x = read.value(node, 0)
    axis = int(node.attributes.get("axis", -1 if read.graph.opset >= 13 else 1))
    if len(read.shape(x)) != 1 or axis not in {1, -1}:
        raise read.refuse(node, "a Softmax over classes", "attribute")
    read.give(node, read.add(node, "Softmax", x))


def flatten(read: OnnxReader, node: Node) -> None:
    read.require(node, axis=1)
    x = read.value(node, 0)
    read.give(node, _kept(read.flat(node, x), x))


def reshape(read: OnnxReader, node: Node) -> None:
    """To a row of all numbers."""
    x, wanted = read.value(node, 0), read.ints(node, "shape", 1) or ()
    count = int(np.prod(read.shape(x)))
    if len(wanted) != 2 or wanted[0] not in {-1, 0, 1} or wanted[1] not in {-1, count}:
        raise read.refuse(node, "a Reshape to one row per picture", "inputs")
    read.give(node, _kept(read.flat(node, x), x))


def squeeze(read: OnnxReader, node: Node) -> None:
    x = read.value(node, 0)
    axes = {read.axis(node, x, axis) for axis in read.ints(node, "axes", 1) or ()}
    if axes != {0, 1} or read.shape(x)[:2] != (1, 1):
        raise read.refuse(node, "a Squeeze of a height and a width of 1", "inputs")
    read.give(node, _kept(read.flat(node, x), x))


def _kept(made: Value, x: Value) -> Value:
    return Value(made.place, made.order, x.is_positive)


def dense(read: OnnxReader, node: Node) -> None:
    """Gemm, or a MatMul and the Add of a row that alone follows it."""
    x, kernel = read.value(node, 0), read.constant(node, 1)
    is_gemm, bias, last = node.operator == "Gemm", None, node
    if is_gemm:
        read.require(node, alpha=1.0, beta=1.0, transA=0)
        bias = read.constant(node, 2)
    if kernel is None or kernel.ndim != 2 or len(read.shape(x)) != 1:
        raise read.refuse(node, "a product of a row per picture with a matrix", "inputs")
    if is_gemm and node.attributes.get("transB", 0):
        kernel = kernel.T
    if not is_gemm and (follows := _row_added(read, node)) is not None:
        last, bias = follows
    arrays, units = [kernel], kernel.shape[1]
    if bias is not None:
        row = np.ravel(bias)
        arrays.append(np.broadcast_to(row, (units,)) if row.size == 1 else row)
    made = read.add(node, "Dense", x, arrays=arrays, units=units, use_bias=bias is not None)
    read.give(last, made)


def _row_added(read: OnnxReader, node: Node) -> tuple[Node, np.ndarray[Any, Any]] | None:
    name = node.outputs[0]
    after = [each for each in read.graph.nodes if name in each.inputs]
    if len(after) != 1 or after[0].operator != "Add" or read.uses[name] != 1:
        return None
    other = next((each for each in after[0].inputs if each != name), "")
    row = read.graph.constants.get(other)
    return None if row is None or row.ndim > 2 else (after[0], row)


def arithmetic(read: OnnxReader, node: Node) -> None:
    """Of two values, or of one and numbers by the channel."""
    if node.outputs[0] in read.values:  # the row of a dense layer
        return
    if all(read.is_value(node, number) for number in range(len(node.inputs))):
        given = [read.value(node, number) for number in range(len(node.inputs))]
        ranks = {(len(read.shape(each)), each.order) for each in given}
        if node.operator not in JOINS or (len(ranks) > 1 and any(r > 1 for r, _ in ranks)):
            raise read.refuse(node, "values of one form", "inputs")
        made = read.add(node, JOINS[node.operator], *given)
        adds = node.operator != "Sub" and all(each.is_positive for each in given)
        read.give(node, Value(made.place, given[0].order, adds))
        return
    place = 0 if read.is_value(node, 0) else 1
    x, numbers = read.value(node, place), read.constant(node, 1 - place)
    if len(node.inputs) != 2 or numbers is None:
        raise read.refuse(node, "a value and numbers", "inputs")
    by = _by_channel(read, node, x, numbers.astype(np.float64))
    match node.operator, place:
        case "Add", _:
            scale, offset = np.ones_like(by), by
        case "Sub", 0:
            scale, offset = np.ones_like(by), -by
        case "Sub", 1:
            scale, offset = -np.ones_like(by), by
        case "Mul", _:
            scale, offset = by, np.zeros_like(by)
        case "Div", 0 if by.all():
            scale, offset = 1 / by, np.zeros_like(by)
        case _:
            raise read.refuse(node, "a sum, a difference, a product or a quotient", "inputs")
    made = read.add(node, "Rescaling", x, scale=scale.tolist(), offset=offset.tolist())
    read.give(node, made)


def _by_channel(
    read: OnnxReader, node: Node, x: Value, numbers: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """One number for all, or one per channel, as a row."""
    if numbers.size == 1:
        return numbers.reshape(1)
    rank, channels = len(read.shape(x)) + 1, read.shape(x)[-1]
    sides = (1,) * (rank - numbers.ndim) + numbers.shape
    at = 1 if x.order == "first" and rank == 4 else rank - 1
    if numbers.ndim > rank or sides != tuple(channels if i == at else 1 for i in range(rank)):
        raise read.refuse(node, "one number, or one per channel", "inputs")
    return numbers.ravel()


def concatenation(read: OnnxReader, node: Node) -> None:
    given = [read.value(node, number) for number in range(len(node.inputs))]
    axes = {read.axis(node, each, int(node.attributes.get("axis", 1))) for each in given}
    if axes != {ANY} or len({each.order for each in given if len(read.shape(each)) > 1}) > 1:
        raise read.refuse(node, "a Concat of channels", "attribute")
    made = read.add(node, "Concatenate", *given)
    read.give(node, Value(made.place, given[0].order, all(each.is_positive for each in given)))


def padding(read: OnnxReader, node: Node) -> None:
    """With zeros, of height and width."""
    read.require(node, mode=b"constant", value=0.0)
    x, pads = read.value(node, 0), read.ints(node, "pads", 1) or ()
    value = read.constant(node, 2)
    if len(pads) != 8 or x.order != "first" or (value is not None and np.any(value)):
        raise read.refuse(node, "a Pad of pictures with zeros, channels first", "inputs")
    if any(pads[i] for i in (0, 1, 4, 5)):
        raise read.refuse(node, "a Pad of height and width", "inputs")
    edges = [[pads[2], pads[6]], [pads[3], pads[7]]]
    read.give(node, _kept(read.add(node, "ZeroPadding2D", x, padding=edges), x))


def transposition(read: OnnxReader, node: Node) -> None:
    """Between channels first and channels last: nothing."""
    x, order = read.value(node, 0), tuple(node.attributes.get("perm", ()))
    if order == (0, 3, 1, 2) and x.order == "last":
        read.give(node, Value(x.place, "first", x.is_positive))
    elif order == (0, 2, 3, 1) and x.order == "first":
        read.give(node, Value(x.place, "last", x.is_positive))
    else:
        raise read.refuse(node, "a Transpose between channels first and last", "attribute")


def nothing(read: OnnxReader, node: Node) -> None:
    read.give(node, read.value(node, 0))


def left_out(read: OnnxReader, node: Node) -> None:
    read.network.left_out.append(node.operator)
    nothing(read, node)


def cast(read: OnnxReader, node: Node) -> None:
    if int(node.attributes.get("to", 0)) not in {1, 10, 11}:
        raise read.refuse(node, "a Cast to floating point", "attribute")
    nothing(read, node)


def _nothing_new(read: OnnxReader, node: Node) -> None:
    """A Constant, which is known."""
    if node.outputs[0] not in read.graph.constants:
        raise read.refuse(node, "a tensor of numbers", "attribute")


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
