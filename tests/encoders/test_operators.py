"""Graphs of strangers that are refused before they are run."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from app.errors import WorkFailure
from tests.encoders import tiny
from worker.backbones.encoders.operators import check_operators, check_vocabulary, table_rows


def test_what_the_house_makes_passes() -> None:
    model = tiny.graph(30)
    check_operators(model)
    assert table_rows(model) == 30


def test_sizes_that_a_text_decides() -> None:
    model = tiny.graph(30)
    nodes = model.graph.node
    nodes.append(helper.make_node("ReduceMax", [tiny.IDS], ["largest"], axes=[1], keepdims=0))
    nodes.append(helper.make_node("ConstantOfShape", ["largest"], ["huge"]))
    with pytest.raises(WorkFailure, match="do not depend on what a text says, got a Const"):
        check_operators(model)


@pytest.mark.parametrize("counted", ["Size", "Shape"])
def test_sizes_made_of_how_many_tokens_a_text_has_of_one_kind(counted: str) -> None:
    """A size is no value of a text, but what it counts is: one rare token would be a terabyte."""
    model = tiny.graph(30)
    nodes, constant = model.graph.node, numpy_helper.from_array
    model.graph.initializer.append(constant(np.array(29, np.int64), "rare"))
    model.graph.initializer.append(constant(np.array([2**40], np.int64), "many"))
    nodes.append(helper.make_node("Equal", [tiny.IDS, "rare"], ["is_rare"]))
    nodes.append(helper.make_node("NonZero", ["is_rare"], ["places"]))
    nodes.append(helper.make_node("Identity", ["places"], ["same"]))
    nodes.append(helper.make_node(counted, ["same"], ["count"]))
    nodes.append(helper.make_node("Mul", ["count", "many"], ["size"]))
    check_operators(model)
    nodes.append(helper.make_node("ConstantOfShape", ["size"], ["huge"]))
    with pytest.raises(WorkFailure, match="do not depend on what a text says, got a Const"):
        check_operators(model)


def test_what_is_picked_by_a_length_makes_sizes_as_usual() -> None:
    """As exports of PyTorch do: places of ones that are as many as there are tokens."""
    model = tiny.graph(30)
    for operator, takes, gives in (
        ("Shape", tiny.IDS, "sizes"),
        ("ConstantOfShape", "sizes", "zeros"),
        ("NonZero", "zeros", "places"),
        ("Shape", "places", "of_places"),
        ("ConstantOfShape", "of_places", "again"),
    ):
        model.graph.node.append(helper.make_node(operator, [takes], [gives]))
    check_operators(model)


def test_a_window_of_as_many_values_as_a_token_says() -> None:
    model = tiny.graph(30)
    model.graph.node.append(helper.make_node("ReduceMax", [tiny.IDS], ["most"], keepdims=0))
    model.graph.node.append(helper.make_node("HannWindow", ["most"], ["huge"]))
    with pytest.raises(WorkFailure, match="got a HannWindow"):
        check_operators(model)


def test_sizes_that_a_texts_length_decides_are_usual() -> None:
    model = tiny.graph(30)
    model.graph.node.append(helper.make_node("Shape", [tiny.IDS], ["sizes"]))
    model.graph.node.append(helper.make_node("ConstantOfShape", ["sizes"], ["zeros"]))
    check_operators(model)


def test_a_loop() -> None:
    model = tiny.graph(30)
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["", ""], [], body=body))
    with pytest.raises(WorkFailure, match="without loops and branches, got Loop"):
        check_operators(model)


def outside() -> TensorProto:
    tensor = numpy_helper.from_array(np.zeros(2, np.float32), "elsewhere")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def test_data_outside_the_file() -> None:
    model = tiny.graph(30)
    model.graph.initializer.append(outside())
    with pytest.raises(WorkFailure, match="got 1 tensors outside"):
        check_operators(model)


def test_data_outside_the_file_within_a_node() -> None:
    model = tiny.graph(30)
    model.graph.node.append(helper.make_node("Constant", [], ["given"], value=outside()))
    with pytest.raises(WorkFailure, match="got 1 tensors outside"):
        check_operators(model)


def test_operators_of_others() -> None:
    model = tiny.graph(30)
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    with pytest.raises(WorkFailure, match=r"got some of com\.example"):
        check_operators(model)


def test_functions_of_its_own() -> None:
    model = tiny.graph(30)
    own = helper.make_function("here", "F", ["a"], ["b"], [], [helper.make_opsetid("", 18)])
    model.functions.append(own)
    with pytest.raises(WorkFailure, match="without functions of its own"):
        check_operators(model)


@pytest.mark.parametrize(("rows", "pieces"), [(None, 5), (250_037, 250_002), (1029, 5)])
def test_tables_of_a_few_more_rows(rows: int | None, pieces: int) -> None:
    check_vocabulary(rows, pieces)


def test_a_table_of_many_more_rows_is_of_another_tokenizer() -> None:
    with pytest.raises(WorkFailure, match="about 250037 pieces"):
        check_vocabulary(250_037, 30_522)


def test_a_table_that_is_not_looked_up_directly() -> None:
    model = tiny.graph(30)
    assert isinstance(model, onnx.ModelProto)
    model.graph.node[0].input[1] = "other"
    assert table_rows(model) is None
