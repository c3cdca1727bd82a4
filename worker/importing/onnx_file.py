"""An .onnx file and what its sender says of it -> a network of ours, which can be trained."""

from collections.abc import Sequence
from pathlib import Path

from app.inputs.image import CHANNELS
from app.models.importing import ImportSpec
from worker.importing.input_front import front_of
from worker.importing.network import ImportedNetwork, assembled, picture_of
from worker.importing.onnx_graph import GRAPH, Graph, read_graph
from worker.importing.onnx_layers import OnnxReader, Order
from worker.importing.onnx_operators import OPERATORS
from worker.importing.reading import ReadNetwork
from worker.importing.refusing import refused

# What numpy and Python say of attributes and numbers that are not of the form of their operator.
UNFORESEEN = (ValueError, TypeError, IndexError, KeyError, OverflowError, AttributeError)


def read_onnx(path: Path, spec: ImportSpec) -> ImportedNetwork:
    """Raises WorkFailure `model_invalid`, whatever the bytes are."""
    graph = read_graph(path)
    order = _order(graph, spec)
    declared = _last(graph.declared, order)
    picture = picture_of(spec, declared)
    front = front_of(spec, picture, declared)
    if len(front.shape) != 3 and picture[2] > 1:
        detail = (
            "expected an input of three dimensions for pictures of several channels: whether a "
            "row of their numbers has channels first or last, no file says"
        )
        raise refused("shape_mismatch", detail, GRAPH, "input", 0)
    read = read_nodes(graph, front.shape, order)
    return assembled(spec, picture, front, read, {"format": "onnx", "opset": graph.opset})


def read_nodes(graph: Graph, shape: tuple[int, ...], order: Order) -> ReadNetwork:
    """Raises WorkFailure with the place of the node that cannot be read."""
    reader = OnnxReader(graph, shape, order)
    for node in graph.nodes:
        if node.operator not in OPERATORS or not node.outputs:
            detail = f"expected operators of these: {', '.join(sorted(OPERATORS))}; got another"
            raise refused("unknown_operator", detail, GRAPH, "node", node.place, "op_type")
        if node.outputs[0] in reader.values:  # made with the node before: the row of a dense layer
            continue
        try:
            OPERATORS[node.operator](reader, node)
            reader.check_known(node)
        except UNFORESEEN as error:
            raise reader.refuse(node, "attributes and numbers of other forms") from error
    end = reader.values.get(graph.output)
    if end is None or end.place != len(reader.network.calls) or not reader.network.calls:
        detail = "expected an output that the nodes make of the input"
        raise refused("unsupported_operator", detail, GRAPH, "output")
    return reader.network


def _order(graph: Graph, spec: ImportSpec) -> Order:
    """Channels first, as PyTorch has them, unless the shape says otherwise, or the first node turns
    them."""
    sides = graph.declared
    if len(sides) != 3:
        return "last"
    turned = [n for n in graph.nodes if graph.input in n.inputs and n.operator == "Transpose"]
    if turned and tuple(turned[0].attributes.get("perm", ())) == (0, 3, 1, 2):
        return "last"
    if spec.inputs.shape and None not in sides:
        height, width, channels = spec.inputs.shape
        if sides == (height, width, channels) != (channels, height, width):
            return "last"
    return "last" if sides[0] not in CHANNELS and sides[2] in CHANNELS else "first"


def _last(sides: Sequence[int | None], order: Order) -> tuple[int | None, ...]:
    return (*sides[1:], sides[0]) if order == "first" and len(sides) == 3 else tuple(sides)
