"""Universal Sentence Encoder, multilingual, as an ONNX graph (Yang et al., "Multilingual universal
sentence encoder for semantic retrieval", ACL 2020, arXiv 1907.04307, the smaller one): convolutions
over 2, 3 and 5 tokens beside the tokens' own vectors, their sum, and dense layers.

It is the arithmetic of the wheel's own engine. Tokens' vectors stay in the 8 bits in which they
come: a row p has the scale and the offset number p mod 17. All else is float32.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from app.inputs.tokens import IDS, MASK
from worker.backbones.encoders.graph_builder import GraphBuilder
from worker.backbones.encoders.running import FEATURES

GROUPS = 17  # of the table's rows
WIDTH, INNER, DIMENSION = 512, 256, 512
SPANS = ((2, 0), (3, 1), (5, 2))  # tokens of a convolution, and how many of them stand before

Weights = Mapping[str, NDArray[Any]]


def graph_of(weights: Weights) -> onnx.ModelProto:
    """`input_ids` and `attention_mask` (n, tokens), int64 -> `features` (n, 512), float32, of
    length 1. Raises KeyError where weights are missing."""
    build = GraphBuilder(
        {
            "groups": np.int64(GROUPS),
            "axis_1": np.array([1], np.int64),
            "axis_2": np.array([2], np.int64),
            "splits": np.full(len(SPANS), INNER, np.int64),
        }
    )
    _masked(build)
    emb = _embedded(build, weights)
    parts = [emb, *_convolved(build, weights, emb)]
    joined = build.node("Concat", parts, "joined", axis=2)
    normed = _norm(build, joined, "all", weights["ln_g"], weights["ln_b"], weights)
    _head(build, weights, normed)
    return build.encoder(DIMENSION)


def _masked(build: GraphBuilder) -> None:
    """`mask` (n, tokens, 1), and `across` (n, 1, tokens) for what convolutions read."""
    build.node("Cast", [MASK], "mask_flat", to=TensorProto.FLOAT)
    build.node("Unsqueeze", ["mask_flat", "axis_2"], "mask")
    build.node("Unsqueeze", ["mask_flat", "axis_1"], "across")


def _embedded(build: GraphBuilder, weights: Weights) -> str:
    """(n, tokens, 512): the table's row times its scale, plus its offset."""
    rows = len(weights["q1"])
    table = np.empty((GROUPS * rows, WIDTH), np.uint8)
    for group in range(GROUPS):
        table[group::GROUPS] = weights[f"q{group + 1}"]
    build.constant("table", table)
    node = build.node
    node("Cast", [node("Gather", ["table", IDS], "row")], "numbers", to=TensorProto.FLOAT)
    node("Mod", [IDS, "groups"], "group")
    for name in ("scale", "lo"):
        build.constant(f"{name}s", weights[name])
        node("Unsqueeze", [node("Gather", [f"{name}s", "group"], name), "axis_2"], f"{name}_wide")
    return node("Add", [node("Mul", ["numbers", "scale_wide"], "scaled"), "lo_wide"], "embedded")


def _convolved(build: GraphBuilder, weights: Weights, x: str) -> list[str]:
    """(n, tokens, 256) for each span: twice a convolution with ReLU, added to what went in."""
    names = [span for span, _ in SPANS]
    kernel = np.concatenate([weights[f"proj{n}"] for n in names], axis=1)
    build.constant("projection", kernel)
    build.constant("projection_bias", np.concatenate([weights[f"proj_b{n}"] for n in names]))
    build.node("MatMul", [x, "projection"], "projected_raw")
    build.node("Add", ["projected_raw", "projection_bias"], "projected")
    scale, offset = (np.concatenate([weights[f"ln_{end}{n}"] for n in names]) for end in ("g", "b"))
    normed = _norm(build, "projected", "projection_norm", scale, offset, weights)
    outputs = [f"span_{n}" for n in names]
    build.nodes.append(onnx.helper.make_node("Split", [normed, "splits"], outputs, axis=2))
    return [
        _span(build, weights, output, span, before)
        for output, (span, before) in zip(outputs, SPANS, strict=True)
    ]


def _span(build: GraphBuilder, weights: Weights, x: str, span: int, before: int) -> str:
    node, at = build.node, f"{x}_"
    node("Transpose", [x], f"{at}0", perm=(0, 2, 1))
    for step in (1, 2):
        # A token beyond the sentence counts as zeros, as one before it does.
        kept = node("Mul", [f"{at}{step - 1}", "across"], f"{at}kept_{step}")
        kernel = weights[f"w{step}_{span}"].reshape(span, INNER, INNER).transpose(2, 1, 0)
        build.constant(f"{at}kernel_{step}", kernel)
        build.constant(f"{at}bias_{step}", weights[f"b{step}_{span}"])
        given = [kept, f"{at}kernel_{step}", f"{at}bias_{step}"]
        node("Conv", given, f"{at}conv_{step}", pads=(before, span - 1 - before))
        node("Relu", [f"{at}conv_{step}"], f"{at}relu_{step}")
        node("Add", [f"{at}relu_{step}", f"{at}{step - 1}"], f"{at}{step}")
    return node("Transpose", [f"{at}2"], f"{at}out", perm=(0, 2, 1))


def _head(build: GraphBuilder, weights: Weights, x: str) -> None:
    """The sum over a sentence's tokens over the root of their number, and dense layers."""
    node = build.node
    for name in ("cnn_W", "cnn_b", "d0", "d1", "d2", "d3", "p1", "p3"):
        build.constant(name, weights[name])
    node("ReduceSum", [node("Mul", [x, "mask"], "own"), "axis_1"], "total", keepdims=0)
    node("ReduceSum", ["mask", "axis_1"], "count", keepdims=0)  # (n, 1)
    node("Add", [node("MatMul", ["total", "cnn_W"], "summed"),
                 node("Mul", ["count", "cnn_b"], "biases")], "sums")  # fmt: skip
    node("Div", ["sums", node("Sqrt", ["count"], "root")], "y")
    node("Relu", [node("MatMul", ["y", "d0"], "y0_raw")], "y0")
    node("Add", [node("MatMul", ["y", "p1"], "y1_own"), node("MatMul", ["y0", "d1"], "y1_more")],
         "y1_raw")  # fmt: skip
    node("Relu", ["y1_raw"], "y1")
    node("Relu", [node("MatMul", ["y1", "d2"], "y2_raw")], "y2")
    node("Add", [node("MatMul", ["y1", "p3"], "z_own"), node("MatMul", ["y2", "d3"], "z_more")],
         "z_raw")  # fmt: skip
    node("Tanh", ["z_raw"], "z")
    node("LpNormalization", ["z"], FEATURES, axis=-1, p=2)


def _norm(
    build: GraphBuilder,
    x: str,
    name: str,
    scale: NDArray[Any],
    offset: NDArray[Any],
    weights: Weights,
) -> str:
    given = [x, build.constant(f"{name}_scale", scale), build.constant(f"{name}_offset", offset)]
    epsilon = float(weights["eps"])
    return build.node("LayerNormalization", given, f"{name}_normed", axis=-1, epsilon=epsilon)
