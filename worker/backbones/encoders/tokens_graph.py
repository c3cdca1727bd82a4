"""An encoder that only cuts: its features are a text's tokens, so many of them, the padding's id
behind the last. What becomes of them is left to the network."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from app.inputs.tokens import IDS, MASK
from worker.backbones.encoders.graph_builder import GraphBuilder
from worker.backbones.encoders.running import FEATURES


def graph_of(tokens: int, pad_id: int) -> onnx.ModelProto:
    """`input_ids` and `attention_mask` (n, t), int64 -> `features` (n, tokens), float32."""
    build = GraphBuilder(
        {
            "one": np.int64(1),
            "pad": np.int64(pad_id),
            "width": np.array([tokens], np.int64),
            "from": np.array([0], np.int64),
            "axis": np.array([1], np.int64),
        }
    )
    node = build.node
    own = node("Mul", [IDS, MASK], "own")
    rest = node("Mul", [node("Sub", ["one", MASK], "absent"), "pad"], "rest")
    node("Add", [own, rest], "cut")
    node("Shape", [IDS], "rows", start=0, end=1)
    node("Concat", ["rows", "width"], "room", axis=0)
    filled = helper.make_tensor("value", TensorProto.INT64, [1], [pad_id])
    node("ConstantOfShape", ["room"], "padding", value=filled)
    node("Concat", ["cut", "padding"], "padded", axis=1)
    node("Slice", ["padded", "from", "width", "axis"], "tokens")
    node("Cast", ["tokens"], FEATURES, to=TensorProto.FLOAT)
    return build.encoder(tokens)
