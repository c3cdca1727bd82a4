"""Operators of ONNX that compute with numbers of the file, or join values."""

from typing import Any

import numpy as np

from worker.importing.onnx_graph import OnnxNode
from worker.importing.onnx_layers import OnnxReader, Value

JOINS = {
    "Add": "Add",
    "Sum": "Add",
    "Sub": "Subtract",
    "Mul": "Multiply",
    "Max": "Maximum",
    "Min": "Minimum",
    "Mean": "Average",
}


def dense(read: OnnxReader, node: OnnxNode) -> None:
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


def _row_added(read: OnnxReader, node: OnnxNode) -> tuple[OnnxNode, np.ndarray[Any, Any]] | None:
    name = node.outputs[0]
    after = [each for each in read.graph.nodes if name in each.inputs]
    if len(after) != 1 or after[0].operator != "Add" or read.uses[name] != 1:
        return None
    other = next((each for each in after[0].inputs if each != name), "")
    row = read.graph.constants.get(other)
    return None if row is None or row.ndim > 2 else (after[0], row)


def arithmetic(read: OnnxReader, node: OnnxNode) -> None:
    """Arithmetic of two values, or of one and numbers by the channel."""
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
    read: OnnxReader, node: OnnxNode, x: Value, numbers: np.ndarray[Any, Any]
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
