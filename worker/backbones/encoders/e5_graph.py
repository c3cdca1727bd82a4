"""multilingual-e5-small as an ONNX graph (Wang et al., "Multilingual E5 text embeddings",
arXiv 2402.05672): a BERT of 12 layers, the mean of whose outputs is normalised.

The graph keeps every weight in the 4 bits in which it comes. The table of pieces is looked up by
standard operators; the layers are MatMulNBits of ONNX Runtime (domain com.microsoft), which also
rounds what it multiplies to 8 bits, as the wheel's own engine does.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from app.inputs.tokens import IDS, MASK
from worker.backbones.encoders.graph_builder import RUNTIME, GraphBuilder
from worker.backbones.encoders.packed_e5 import BLOCK, FourBits, PackedE5
from worker.backbones.encoders.running import FEATURES

FAR = -1e9  # added to the attention paid to padding
EIGHT_BITS = 4  # accuracy_level of MatMulNBits: activations as int8


def graph_of(packed: PackedE5, layers: int | None = None) -> onnx.ModelProto:
    """`input_ids` and `attention_mask` (n, tokens), int64 -> `features` (n, 384), float32, of
    length 1. At most as many tokens as the model has positions. `layers`: the first so many; None:
    all."""
    sizes = packed.sizes
    build = GraphBuilder(_shared_constants(sizes.width, sizes.heads))
    x = _embedded(build, packed)
    for number in range(sizes.layers if layers is None else layers):
        x = _layer(build, packed, number, x)
    _pooled(build, x)
    return build.encoder(sizes.width)


def _shared_constants(width: int, heads: int) -> dict[str, Any]:
    return {
        "low_half": np.uint8(15),
        "half_bits": np.uint8(4),
        "eight": np.float32(8),
        "one": np.float32(1),
        "half": np.float32(0.5),
        "root_half": np.float32(np.sqrt(0.5)),
        "far": np.float32(FAR),
        "attention_scale": np.float32((width // heads) ** -0.5),
        "block_shape": np.array([0, 0, width // BLOCK, BLOCK // 2], np.int64),
        "width_shape": np.array([0, 0, width], np.int64),
        "heads_shape": np.array([0, 0, heads, width // heads], np.int64),
        "axis_1": np.array([1], np.int64),
        "axis_2": np.array([2], np.int64),
        "axis_3": np.array([3], np.int64),
        "axes_1_2": np.array([1, 2], np.int64),
        "axis_0": np.array([0], np.int64),
        "from_0": np.array([0], np.int64),
    }


def _embedded(build: GraphBuilder, packed: PackedE5) -> str:
    """Pieces, positions and the one type that there is, added and normalised: (n, tokens, width).
    And `bias` (n, 1, 1, tokens): FAR where a token is padding."""
    sizes, node = packed.sizes, build.node
    table = packed.four_bits("emb.word", sizes.rows, sizes.width)
    build.constant("piece_halves", table.halves)
    build.constant("piece_scales", table.scales)
    build.constant("positions", packed.floats("emb.pos", sizes.positions, sizes.width))
    build.constant("type", packed.floats("emb.type", sizes.types, sizes.width)[0])
    node("Gather", ["piece_halves", IDS], "halves")
    node(
        "Cast", [node("Gather", ["piece_scales", IDS], "scales_16")], "scales", to=TensorProto.FLOAT
    )
    for half, operator, by in (
        ("low", "BitwiseAnd", "low_half"),
        ("high", "BitShift", "half_bits"),
    ):
        direction = {"direction": "RIGHT"} if operator == "BitShift" else {}
        node(operator, ["halves", by], f"{half}_8", **direction)
        node("Cast", [f"{half}_8"], f"{half}_float", to=TensorProto.FLOAT)
        node("Reshape", [f"{half}_float", "block_shape"], f"{half}_blocks")
    node("Concat", ["low_blocks", "high_blocks"], "blocks", axis=3)
    node("Sub", ["blocks", "eight"], "centred")
    node("Mul", ["centred", node("Unsqueeze", ["scales", "axis_3"], "block_scales")], "scaled")
    node("Reshape", ["scaled", "width_shape"], "pieces")
    node("Shape", [IDS], "tokens", start=1, end=2)
    node("Slice", ["positions", "from_0", "tokens", "axis_0"], "place")
    node("Add", [node("Add", ["pieces", "place"], "placed"), "type"], "typed")
    node("Cast", [MASK], "mask", to=TensorProto.FLOAT)
    node("Mul", [node("Sub", ["one", "mask"], "padding"), "far"], "bias_flat")
    node("Unsqueeze", ["bias_flat", "axes_1_2"], "bias")
    return _norm(build, packed, "typed", "emb.ln", "embedded")


def _layer(build: GraphBuilder, packed: PackedE5, number: int, x: str) -> str:
    """Attention and two dense layers with GELU, each added to what went in and normalised."""
    at, node, sizes = f"l{number}.", build.node, packed.sizes
    for kind, order in (("q", (0, 2, 1, 3)), ("k", (0, 2, 3, 1)), ("v", (0, 2, 1, 3))):
        flat = _dense(build, packed, x, f"{at}{kind}", sizes.width, sizes.width)
        node("Reshape", [flat, "heads_shape"], f"{at}{kind}_heads")
        node("Transpose", [f"{at}{kind}_heads"], f"{at}{kind}_first", perm=order)
    node("MatMul", [f"{at}q_first", f"{at}k_first"], f"{at}products")
    node("Mul", [f"{at}products", "attention_scale"], f"{at}scores")
    node("Add", [f"{at}scores", "bias"], f"{at}biased")
    node("Softmax", [f"{at}biased"], f"{at}attention", axis=-1)
    node("MatMul", [f"{at}attention", f"{at}v_first"], f"{at}mixed")
    node("Transpose", [f"{at}mixed"], f"{at}mixed_last", perm=(0, 2, 1, 3))
    node("Reshape", [f"{at}mixed_last", "width_shape"], f"{at}context")
    out = _dense(build, packed, f"{at}context", f"{at}ao", sizes.width, sizes.width)
    y = _norm(build, packed, node("Add", [x, out], f"{at}attended"), f"{at}aln", f"{at}y")
    inner = _dense(build, packed, y, f"{at}fi", sizes.inner, sizes.width)
    node("Erf", [node("Mul", [inner, "root_half"], f"{at}turned")], f"{at}erf")
    node("Mul", [node("Add", [f"{at}erf", "one"], f"{at}gate"), inner], f"{at}gated")
    node("Mul", [f"{at}gated", "half"], f"{at}gelu")
    back = _dense(build, packed, f"{at}gelu", f"{at}fo", sizes.width, sizes.inner)
    return _norm(build, packed, node("Add", [y, back], f"{at}summed"), f"{at}oln", f"{at}x")


def _pooled(build: GraphBuilder, x: str) -> None:
    """The mean over tokens that are no padding, at length 1."""
    node = build.node
    node("Unsqueeze", ["mask", "axis_2"], "mask_wide")
    node("ReduceSum", [node("Mul", [x, "mask_wide"], "kept"), "axis_1"], "total", keepdims=0)
    node("ReduceSum", ["mask_wide", "axis_1"], "count", keepdims=0)
    node("Div", ["total", "count"], "mean")
    node("LpNormalization", ["mean"], FEATURES, axis=-1, p=2)


def _norm(build: GraphBuilder, packed: PackedE5, x: str, name: str, output: str) -> str:
    width = packed.sizes.width
    scale, offset = (
        build.constant(f"{name}.{end}", packed.floats(f"{name}.{end}", width)) for end in "wb"
    )
    epsilon = float(packed.sizes.epsilon)
    return build.node("LayerNormalization", [x, scale, offset], output, axis=-1, epsilon=epsilon)


def _dense(build: GraphBuilder, packed: PackedE5, x: str, name: str, units: int, width: int) -> str:
    """x W^T + b of the packed layer `name`: (n, tokens, width) -> (n, tokens, units)."""
    matrix = packed.four_bits(f"{name}.w", units, width)
    weights = build.constant(f"{name}.w", _neighbours(matrix))
    scales = build.constant(f"{name}.scales", matrix.scales.astype(np.float32).reshape(-1))
    offset = build.constant(f"{name}.b", packed.floats(f"{name}.b", units))
    build.node(
        "MatMulNBits",
        [x, weights, scales, "", "", offset],
        f"{name}_out",
        domain=RUNTIME,
        K=width,
        N=units,
        bits=4,
        block_size=BLOCK,
        accuracy_level=EIGHT_BITS,
    )
    return f"{name}_out"


def _neighbours(matrix: FourBits) -> NDArray[np.uint8]:
    """(units, blocks, 16) bytes that hold weights 2i and 2i + 1, as MatMulNBits reads them."""
    blocks = matrix.halves.reshape(len(matrix.halves), -1, BLOCK // 2)
    weights = np.concatenate([blocks & 15, blocks >> 4], 2)
    packed: NDArray[np.uint8] = weights[..., ::2] | (weights[..., 1::2] << 4)
    return packed
