"""An ONNX graph, read as what it may be and nothing more: nodes of ONNX' own operators on tensors
that stand in the file itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, TensorProto, numpy_helper

from app.spec.imported.layer import MOST_VALUES
from worker.importing.refusing import refused

FIRST_OPSET, LAST_OPSET = 9, 25
MOST_NODES = 10_000
DOMAINS = frozenset({"", "ai.onnx"})  # of nodes
NAMED = frozenset({"ai.onnx.ml"})  # by tf2onnx, whether a node is of it or not
FLOATS = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE})
NUMBERS = FLOATS | {TensorProto.BFLOAT16, TensorProto.INT64, TensorProto.INT32}
GRAPH = "graph"
PLAIN = frozenset(
    {
        AttributeProto.FLOAT,
        AttributeProto.FLOATS,
        AttributeProto.INT,
        AttributeProto.INTS,
        AttributeProto.STRING,
        AttributeProto.TENSOR,
    }
)

Constant = NDArray[Any]


class Attributes(dict[str, Any]):
    """Attributes of a node, of which it is known what was asked for."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None, /) -> Any:
        self.asked.add(name)
        return super().get(name, default)


@dataclass(frozen=True)
class OnnxNode:
    """`place`: among the graph's nodes, for pointers."""

    operator: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Attributes
    place: int


@dataclass(frozen=True)
class Graph:
    """`declared`: the input's sides without the batch's, None where one is free; `nodes`: those
    that the output needs, in their order."""

    input: str
    declared: tuple[int | None, ...]
    output: str
    nodes: tuple[OnnxNode, ...]
    constants: dict[str, Constant]
    opset: int


def read_graph(path: Path) -> Graph:
    """Raises WorkFailure `model_invalid`, whatever the bytes are."""
    try:
        model = onnx.load_model(path, load_external_data=False)
    except Exception as error:  # protobuf's, which share no class
        detail = "expected an ONNX graph that can be read, got another file or a damaged one"
        raise refused("not_an_onnx_graph", detail) from error
    opset = _opset(model)
    graph = model.graph
    if len(graph.node) > MOST_NODES:
        raise refused("too_many_layers", f"expected at most {MOST_NODES} nodes", GRAPH, "node")
    if len(model.functions) or len(graph.sparse_initializer) or len(model.training_info):
        detail = "expected nodes and plain tensors, got functions, sparse tensors or training"
        raise refused("unknown_operator", detail, "functions")
    constants = {
        each.name: _constant(each, GRAPH, "initializer", place)
        for place, each in enumerate(graph.initializer)
    }
    name, declared = _input(graph, constants)
    if len(graph.output) != 1:
        detail = f"expected a graph with one output, got {len(graph.output)}"
        raise refused("several_outputs", detail, GRAPH, "output")
    output = graph.output[0].name
    nodes = [_node(each, place) for place, each in enumerate(graph.node)]
    for node in nodes:
        if node.operator == "Constant":
            given = [value for name, value in node.attributes.items() if name.startswith("value")]
            if len(given) == 1 and not isinstance(given[0], bytes):
                constants |= dict.fromkeys(node.outputs, np.asarray(given[0]))
    return Graph(name, declared, output, tuple(_needed(nodes, output)), constants, opset)


def _opset(model: onnx.ModelProto) -> int:
    domains = {each.domain: each.version for each in model.opset_import}
    if set(domains) - DOMAINS - NAMED:
        detail = "expected operators of ONNX itself, got some of another domain"
        raise refused("unknown_operator", detail, "opset_import")
    version = int(max((domains.get(domain, 0) for domain in DOMAINS), default=0))
    if not FIRST_OPSET <= version <= LAST_OPSET:
        detail = f"expected an opset from {FIRST_OPSET} to {LAST_OPSET}, got another"
        raise refused("unknown_opset", detail, "opset_import")
    return version


def _input(
    graph: onnx.GraphProto, constants: dict[str, Constant]
) -> tuple[str, tuple[int | None, ...]]:
    """Initializers may stand among the inputs too."""
    given = [each for each in graph.input if each.name not in constants]
    if len(given) != 1:
        detail = f"expected a graph with one input, got {len(given)}"
        raise refused("several_inputs", detail, GRAPH, "input")
    tensor = given[0].type.tensor_type
    if tensor.elem_type not in FLOATS:
        detail = "expected an input of floating point numbers, got another type"
        raise refused("input_type", detail, GRAPH, "input", 0)
    sides = [each.dim_value if each.HasField("dim_value") else 0 for each in tensor.shape.dim]
    if not 2 <= len(sides) <= 4 or not all(0 <= side <= MOST_VALUES for side in sides):
        detail = "expected an input of 1 to 3 dimensions besides the batch's"
        raise refused("shape_mismatch", detail, GRAPH, "input", 0)
    if sides[0] > 1:
        detail = f"expected an input of any number of pictures, got one of {sides[0]}"
        raise refused("fixed_batch", detail, GRAPH, "input", 0)
    return given[0].name, tuple(side or None for side in sides[1:])


def _node(raw: onnx.NodeProto, place: int) -> OnnxNode:
    if raw.domain not in DOMAINS:
        detail = "expected operators of ONNX itself, got one of another domain"
        raise refused("unknown_operator", detail, GRAPH, "node", place, "domain")
    attributes = {}
    for each in raw.attribute:
        if each.type not in PLAIN or each.ref_attr_name:
            detail = "expected attributes that are numbers or texts, got a graph or another kind"
            raise refused("unknown_operator", detail, GRAPH, "node", place, "attribute")
        if each.type == AttributeProto.TENSOR:
            attributes[each.name] = _constant(each.t, GRAPH, "node", place, "attribute")
        else:
            attributes[each.name] = onnx.helper.get_attribute_value(each)
    return OnnxNode(raw.op_type, tuple(raw.input), tuple(raw.output), Attributes(attributes), place)


def _constant(tensor: TensorProto, *path: str | int) -> Constant:
    """A tensor whose numbers stand in it."""
    if tensor.data_location == TensorProto.EXTERNAL or len(tensor.external_data):
        detail = "expected tensors that lie in this file, got one that lies in another"
        raise refused("external_weights", detail, *path)
    sides = list(tensor.dims)
    is_bounded = all(side >= 0 for side in sides) and prod(sides) <= 2**31
    if tensor.data_type not in NUMBERS or tensor.HasField("segment") or not is_bounded:
        raise refused("weights_unreadable", "expected tensors of numbers", *path)
    try:
        found = np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError) as error:
        detail = "expected a tensor with as many numbers as its shape says"
        raise refused("weights_unreadable", detail, *path) from error
    if tensor.data_type in {TensorProto.INT64, TensorProto.INT32}:
        return found
    values = found.astype(np.float32)
    if not np.isfinite(values).all():
        raise refused("not_finite", "expected finite weights, got some that are not", *path)
    return values


def _needed(nodes: Sequence[OnnxNode], output: str) -> list[OnnxNode]:
    """Backwards from the output; a graph's nodes stand in the order in which they can run."""
    wanted, found = {output}, []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            found.append(node)
            wanted.update(node.inputs)
    return found[::-1]
