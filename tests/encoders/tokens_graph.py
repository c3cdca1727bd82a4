"""A small network as exports have it: tokens, a mask and types -> tokens' vectors."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.encoders.tiny import DIMENSION, IDS, LETTERS, MASK, SPECIAL

TYPES, VECTORS = "token_type_ids", "last_hidden_state"


def table() -> np.ndarray:
    rows = len(SPECIAL) + len(LETTERS)
    return np.random.default_rng(0).normal(size=(rows, DIMENSION)).astype(np.float32)


def vectors_graph(*takes: str, gives: str = VECTORS) -> onnx.ModelProto:
    """Rows of `table`, to which types would add 100 times theirs, (n, tokens, DIMENSION)."""
    names = takes or (IDS, MASK, TYPES)
    nodes = [helper.make_node("Gather", ["table", IDS], ["found"])]
    if TYPES in names:
        nodes += [
            helper.make_node("Cast", [TYPES], ["types"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["types", "last"], ["wide"]),
            helper.make_node("Mul", ["wide", "hundred"], ["added"]),
            helper.make_node("Add", ["found", "added"], [gives]),
        ]
    else:
        nodes.append(helper.make_node("Identity", ["found"], [gives]))
    constants = {
        "table": table(),
        "last": np.array([2], np.int64),
        "hundred": np.float32(100),
    }
    given = [helper.make_tensor_value_info(n, TensorProto.INT64, ["n", "t"]) for n in names]
    out = helper.make_tensor_value_info(gives, TensorProto.FLOAT, ["n", "t", DIMENSION])
    held = [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()]
    body = helper.make_graph(nodes, "vectors", given, [out], held)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 14)])
    model.ir_version = 8
    return model
