"""A graph whose tables of tokens have the rows alone that a smaller tokenizer asks for."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from app.inputs.tokens import IDS
from worker.packaging.pruned_tokenizer import CannotPrune

SAME = {"Cast", "Identity"}  # hand ids on
SIZES = {"Shape", "Size"}  # ask for no more than how many there are


def prune_tables(model: onnx.ModelProto, kept: NDArray[np.int64]) -> None:
    """Row `kept[i]` of every table that ids are looked up in becomes row i, in place.

    Raises CannotPrune where ids are anything but numbers of rows.
    """
    graph = model.graph
    tables = {each.name: each for each in graph.initializer}
    ids, looked_up = {IDS}, dict[str, str]()
    for node in graph.node:
        places = [place for place, name in enumerate(node.input) if name in ids]
        if not places or node.op_type in SIZES or _is_zero(node):
            continue
        if node.op_type in SAME:
            ids.update(node.output)
        elif node.op_type == "Gather" and places == [1] and node.input[0] in tables:
            if any(attribute.name == "axis" and attribute.i for attribute in node.attribute):
                raise CannotPrune("expected tokens to be looked up by rows, got another axis")
            looked_up[node.input[0]] = node.output[0]
        else:
            raise CannotPrune(f"expected tokens to be looked up alone, got {node.op_type} of them")
    if not looked_up:
        raise CannotPrune("expected tokens to be looked up in a table, got none")
    for node in graph.node:
        if shared := looked_up.keys() & {*node.input} - {node.input[0]}:
            raise CannotPrune(f"expected tables of tokens alone, got {shared.pop()} elsewhere too")
        if node.input and node.input[0] in looked_up and node.op_type != "Gather":
            raise CannotPrune(f"expected tables of tokens alone, got {node.op_type} of one")
    for name in looked_up:
        rows = numpy_helper.to_array(tables[name])
        if kept[-1] >= len(rows):
            raise CannotPrune(f"expected a table of {kept[-1] + 1} rows, got {len(rows)}")
        tables[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(rows[kept]), name))


def _is_zero(node: onnx.NodeProto) -> bool:
    """Whether it is ids less themselves: types of tokens."""
    return node.op_type == "Sub" and len({*node.input}) == 1
