"""What a graph of an encoder may be made of, read without running it.

It is run by ONNX Runtime, in workers and where models are served; so there are no loops, no code of
others, no data outside the file, and no tensor whose size a text's content decides.
"""

from collections.abc import Iterator, Mapping, Sequence

import onnx

from app.inputs.tokens import IDS
from worker.backbones.encoders.refusing import refused

DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}  # of operators that ONNX Runtime has
GRAPH = "model.onnx"
MOST_NODES = 20_000
SPARE_ROWS, SPARE_SHARE = 1024, 0.02  # of a table of pieces, beyond the tokenizer's
# Operators that make a tensor of the size that these of their inputs say.
SIZED_BY = {
    "AffineGrid": (1,),
    "BlackmanWindow": (0,),
    "CenterCropPad": (1,),
    "Col2Im": (1, 2),
    "ConstantOfShape": (0,),
    "ConvTransposeWithDynamicPads": (2,),
    "CropAndResize": (3,),
    "DFT": (1,),
    "Expand": (1,),
    "HammingWindow": (0,),
    "HannWindow": (0,),
    "MaxUnpool": (2,),
    "MelWeightMatrix": (0, 1),
    "OneHot": (1,),
    "Pad": (1,),
    "Range": (0, 1, 2),
    "Reshape": (1,),
    "Resize": (2, 3),
    "STFT": (1, 3),
    "Tile": (1,),
    "Upsample": (1,),
}
# Operators that pick from a tensor as many values as these of their inputs say, or hold.
PICKED_BY = {
    "Compress": (1,),
    "NonMaxSuppression": (0, 1, 2, 3, 4),
    "NonZero": (0,),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "TopK": (1,),
    "Unique": (0,),
}
ONLY_SIZES = {"Shape", "Size"}  # their outputs say how large a tensor is, not what it holds


def check_operators(model: onnx.ModelProto) -> None:
    """Raises WorkFailure `encoder_refused`."""
    if others := {each.domain for each in model.opset_import} - DOMAINS:
        named = ", ".join(sorted(others))
        raise refused(f"expected operators of ONNX and ONNX Runtime, got some of {named}")
    if model.functions:
        raise refused(f"expected {GRAPH} without functions of its own, got {len(model.functions)}")
    graph = model.graph
    if len(graph.node) > MOST_NODES:
        raise refused(f"expected at most {MOST_NODES} nodes in {GRAPH}, got {len(graph.node)}")
    if outside := [each.name for each in _tensors(graph) if _is_outside(each)]:
        raise refused(f"expected {GRAPH} to hold all its data, got {len(outside)} tensors outside")
    for node in graph.node:
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise refused(f"expected {GRAPH} without loops and branches, got {node.op_type}")
    _check_sizes(graph)


def table_rows(model: onnx.ModelProto) -> int | None:
    """Rows of the table that tokens are looked up in; None where it is not looked up directly."""
    rows = {each.name: each.dims[0] for each in model.graph.initializer if each.dims}
    same = {IDS}
    for node in model.graph.node:
        if node.op_type in {"Cast", "Identity"} and node.input[0] in same:
            same.update(node.output)
    found = [
        rows[node.input[0]]
        for node in model.graph.node
        if node.op_type == "Gather" and node.input[1] in same and node.input[0] in rows
    ]
    return min(found) if found else None


def check_vocabulary(rows: int | None, pieces: int) -> None:
    """Raises WorkFailure where a table has many more rows than the tokenizer has pieces."""
    if rows is not None and rows > pieces + max(SPARE_ROWS, SPARE_SHARE * pieces):
        raise refused(
            f"expected a tokenizer of about {rows} pieces, which the graph has vectors of, got "
            f"{pieces}: the tokenizer is another encoder's"
        )


def _check_sizes(graph: onnx.GraphProto) -> None:
    """What a text says may pick values, and must not make any: neither by their number itself nor
    by a number that was made of how many were picked."""
    told = {each.name for each in graph.input} - {each.name for each in graph.initializer}
    picked = set[str]()  # tensors of as many values as a text says
    for node in graph.node:
        if told.intersection(_at(node, SIZED_BY)):
            raise refused(
                f"expected tensors whose sizes do not depend on what a text says, got a "
                f"{node.op_type} in {GRAPH} of which one does"
            )
        if picked.intersection(node.input) or told.intersection(_at(node, PICKED_BY)):
            picked.update(node.output)
        if (picked if node.op_type in ONLY_SIZES else told).intersection(node.input):
            told.update(node.output)


def _at(node: onnx.NodeProto, places: Mapping[str, Sequence[int]]) -> set[str]:
    """Names of its inputs at the places of its operator."""
    listed = places.get(node.op_type, ())
    return {node.input[place] for place in listed if place < len(node.input)}


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)


def _is_outside(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data)
