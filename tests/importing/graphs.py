"""ONNX graphs as exporters of other frameworks write them: channels first, weights beside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Nodes = list[onnx.NodeProto]


def node(operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, inputs, [output], **attributes)


def graph(
    nodes: Nodes,
    constants: dict[str, np.ndarray],
    shape: Sequence[Any] = ("n", 3, 12, 12),
    opset: int = 17,
    **more: Any,
) -> onnx.ModelProto:
    """From `x` to the last node's output."""
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(made, opset_imports=imports, ir_version=9, **more)


def saved(model: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def residual() -> onnx.ModelProto:
    """A stem with padded pooling, a depthwise convolution, a block that is added, one
    that is gated, and a linear end, as torchvision's networks are exported."""
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.4, shape).astype(np.float32)

    def positive(*shape: int) -> np.ndarray:
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)

    constants = {
        "mean": np.array([0.5, 0.4, 0.3], np.float32).reshape(1, 3, 1, 1),
        "std": np.array([0.2, 0.3, 0.4], np.float32).reshape(1, 3, 1, 1),
        "w0": drawn(8, 3, 3, 3),
        "scale": positive(8),
        "offset": drawn(8),
        "mu": drawn(8),
        "var": positive(8),
        "w1": drawn(16, 1, 3, 3),
        "w2": drawn(8, 16, 1, 1),
        "b2": drawn(8),
        "w3": drawn(8, 8, 1, 1),
        "zero": np.float32(0),
        "six": np.float32(6),
        "three": np.float32(3),
        "w4": drawn(3, 16),
        "b4": drawn(3),
    }
    nodes = [
        node("Sub", ["x", "mean"], "centred"),
        node("Div", ["centred", "std"], "standard"),
        node("Conv", ["standard", "w0"], "c0", strides=[2, 2], pads=[1, 1, 1, 1], group=1),
        node("BatchNormalization", ["c0", "scale", "offset", "mu", "var"], "n0", epsilon=1e-3),
        node("Relu", ["n0"], "r0"),
        node("MaxPool", ["r0"], "p0", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Conv", ["p0", "w1"], "c1", group=8, pads=[1, 1, 1, 1]),
        node("Clip", ["c1", "zero", "six"], "r1"),
        node("Conv", ["r1", "w2", "b2"], "c2"),
        node("Add", ["c2", "p0"], "a2"),
        node("GlobalAveragePool", ["a2"], "gap"),
        node("Conv", ["gap", "w3"], "g3"),
        node("Add", ["g3", "three"], "g4"),
        node("Clip", ["g4", "zero", "six"], "g5"),
        node("Div", ["g5", "six"], "gate"),
        node("Mul", ["a2", "gate"], "gated"),
        node("Sigmoid", ["gated"], "s"),
        node("Mul", ["gated", "s"], "swish"),
        node("Concat", ["swish", "p0"], "both", axis=1),
        node("ReduceMean", ["both"], "features", axes=[2, 3], keepdims=0),
        node("Gemm", ["features", "w4", "b4"], "logits", transB=1),
    ]
    return graph(nodes, constants)


def flat(opset: int = 13) -> onnx.ModelProto:
    """A convolution, and a dense layer on all of its numbers in the graph's order."""
    rng = np.random.default_rng(1)
    constants = {
        "w0": rng.normal(0, 0.4, (2, 1, 3, 3)).astype(np.float32),
        "shape": np.array([-1, 2 * 4 * 5], np.int64),
        "w1": rng.normal(0, 0.4, (2 * 4 * 5, 3)).astype(np.float32),
        "b1": np.array([0.1, -0.2, 0.3], np.float32),
    }
    nodes = [
        node("Conv", ["x", "w0"], "c0", auto_pad="VALID"),
        node("LeakyRelu", ["c0"], "r0", alpha=0.1),
        node("Reshape", ["r0", "shape"], "row"),
        node("MatMul", ["row", "w1"], "product"),
        node("Add", ["product", "b1"], "logits"),
        node("Softmax", ["logits"], "scores", axis=-1),
    ]
    return graph(nodes, constants, (1, 1, 6, 7), opset)
