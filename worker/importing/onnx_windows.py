"""Operators of ONNX that go over a picture: convolutions, poolings, padding."""

from typing import Any

import numpy as np

from worker.importing.onnx_graph import OnnxNode
from worker.importing.onnx_layers import OnnxReader, Value, kept


def convolution(read: OnnxReader, node: OnnxNode) -> None:
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
    read: OnnxReader, node: OnnxNode, x: Value, side: tuple[int, ...], is_zero: bool = True
) -> tuple[Value, str]:
    """What is padded by as many rows and columns as the graph says, and how Keras goes on.
    `is_zero`: with zeros; else with what loses against any number, as a maximum has it."""
    auto, pads = node.attributes.get("auto_pad", b"NOTSET"), read.ints(node, "pads") or (0, 0, 0, 0)
    if auto == b"SAME_UPPER":
        return x, "same"
    if auto not in {b"NOTSET", b"VALID", b""}:
        raise read.refuse(node, "padding in numbers, or SAME_UPPER", "attribute")
    if auto == b"VALID" or not any(pads):
        return x, "valid"
    if len(pads) != 4 or not (is_zero or x.is_positive):
        raise read.refuse(node, "padding of a picture, with zeros or after a ReLU", "attribute")
    edges = [[pads[0], pads[2]], [pads[1], pads[3]]]
    return read.add(node, "ZeroPadding2D", x, padding=edges), "valid"


def pooling(kind: str, read: OnnxReader, node: OnnxNode) -> None:
    read.require(node, ceil_mode=0, dilations=[1, 1], storage_order=0)
    x, side = read.value(node, 0), read.ints(node, "kernel_shape") or ()
    is_mean = kind == "AveragePooling2D"
    if len(node.outputs) > 1 or len(side) != 2 or x.order != "first":
        raise read.refuse(node, "pooling over pictures, channels first")
    padded, padding = _padded(read, node, x, side, is_zero=is_mean)
    counts = bool(node.attributes.get("count_include_pad", 0))  # of a mean alone
    if is_mean and counts != (padded is not x) and (padded is not x or padding == "same"):
        raise read.refuse(node, "count_include_pad 1 with padding in numbers", "attribute")
    strides = list(read.ints(node, "strides") or (1, 1))
    made = read.add(node, kind, padded, pool_size=list(side), strides=strides, padding=padding)
    read.give(node, Value(made.place, made.order, x.is_positive))


def global_pooling(kind: str, read: OnnxReader, node: OnnxNode) -> None:
    x = read.value(node, 0)
    if x.order != "first":
        raise read.refuse(node, "a mean or a maximum over pictures, channels first")
    read.give(node, Value(read.add(node, kind, x, keepdims=True).place, x.order, x.is_positive))


def mean(read: OnnxReader, node: OnnxNode) -> None:
    """Over height and width."""
    x = read.value(node, 0)
    axes = {read.axis(node, x, axis) for axis in read.ints(node, "axes", 1) or ()}
    if axes != {0, 1}:
        raise read.refuse(node, "a mean over height and width", "attribute")
    keeps = bool(node.attributes.get("keepdims", 1))
    made = read.add(node, "GlobalAveragePooling2D", x, keepdims=keeps)
    read.give(node, Value(made.place, x.order, x.is_positive))


def padding(read: OnnxReader, node: OnnxNode) -> None:
    """Pads height and width with zeros."""
    read.require(node, mode=b"constant", value=0.0)
    x, pads = read.value(node, 0), read.ints(node, "pads", 1) or ()
    value = read.constant(node, 2)
    if len(pads) != 8 or x.order != "first" or (value is not None and np.any(value)):
        raise read.refuse(node, "a Pad of pictures with zeros, channels first", "inputs")
    if any(pads[i] for i in (0, 1, 4, 5)):
        raise read.refuse(node, "a Pad of height and width", "inputs")
    edges = [[pads[2], pads[6]], [pads[3], pads[7]]]
    read.give(node, kept(read.add(node, "ZeroPadding2D", x, padding=edges), x))
