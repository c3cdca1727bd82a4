"""A graph that gives tokens' vectors, as exports of BERT and its like do, with a sentence's one at
its end: the mean over tokens or the first one's, at length 1 where that is wanted.

Only operators that are the same in all versions of ONNX: the graph keeps its own.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from app.inputs.tokens import IDS, MASK
from worker.backbones.encoders.refusing import refused
from worker.backbones.encoders.running import FEATURES

TYPES = "token_type_ids"
VECTORS = ("last_hidden_state", "token_embeddings")  # (n, tokens, dimension)
PREFIX = "ktl_"


def pooled(model: onnx.ModelProto, pooling: str, normalised: bool) -> onnx.ModelProto:
    """`input_ids` and `attention_mask` -> `features`. `pooling`: `mean` or `cls`.

    Raises WorkFailure `encoder_refused` where it wants more than tokens, a mask and types, or gives
    no tokens' vectors.
    """
    graph = model.graph
    takes = {each.name for each in graph.input} - {each.name for each in graph.initializer}
    if takes - {IDS, MASK, TYPES} or not takes >= {IDS, MASK}:
        raise refused(f"expected a graph that takes {IDS}, {MASK} and, perhaps, {TYPES}, got one "
                      f"that takes {len(takes)} tensors, which are not these")  # fmt: skip
    given = [each.name for each in graph.output]
    vectors = next((name for name in VECTORS if name in given), None)
    if vectors is None:
        raise refused(f"expected a graph that gives {' or '.join(VECTORS)}, got neither")
    if FEATURES in {name for node in graph.node for name in node.output}:
        raise refused(f"expected a graph in which nothing is called {FEATURES} yet")
    if TYPES in takes:
        _without_types(graph)
    _pool(graph, vectors, pooling, normalised)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, ["n", None]))
    return model


def _without_types(graph: onnx.GraphProto) -> None:
    """All tokens are of the first type."""
    graph.node.insert(0, helper.make_node("Sub", [IDS, IDS], [TYPES]))
    kept = [each for each in graph.input if each.name != TYPES]
    del graph.input[:]
    graph.input.extend(kept)


def _pool(graph: onnx.GraphProto, vectors: str, pooling: str, normalised: bool) -> None:
    def constant(name: str, values: list[int]) -> str:
        graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), PREFIX + name))
        return PREFIX + name

    def node(operator: str, inputs: list[str], output: str, **attributes: int) -> str:
        graph.node.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    flat = constant("flat", [0, -1])
    if pooling == "cls":
        first = node("Gather", [vectors, constant("first", [0])], PREFIX + "first_of", axis=1)
        found = node("Reshape", [first, flat], PREFIX + "sentence")
    else:
        mask = node("Cast", [MASK], PREFIX + "mask", to=TensorProto.FLOAT)
        row = node("Reshape", [mask, constant("row", [0, 1, -1])], PREFIX + "mask_row")
        column = node("Reshape", [mask, constant("column", [0, -1, 1])], PREFIX + "mask_column")
        total = node("MatMul", [row, vectors], PREFIX + "total")
        count = node("MatMul", [row, column], PREFIX + "count")
        mean = node("Div", [total, count], PREFIX + "mean")
        found = node("Reshape", [mean, flat], PREFIX + "sentence")
    if normalised:
        node("LpNormalization", [found], FEATURES, axis=-1, p=2)
    else:
        node("Identity", [found], FEATURES)
