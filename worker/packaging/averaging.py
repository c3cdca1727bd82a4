"""Several networks of one architecture as one: the mean of their answers."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import keras
import onnx
import tensorflow as tf
from onnx import compose, numpy_helper

from worker.objectives.contract import Objective
from worker.packaging.conversion import convert

MEMBER = "member_{}_"  # before the names of a member's tensors


def averaged_model(members: Sequence[keras.Model], objective: Objective) -> keras.Model:
    """Raw values, as each member takes them, -> outputs whose answers are the mean of the
    members'."""
    first = members[0]
    named = [
        keras.Model(member.input, member.output, name=f"member_{number}")
        for number, member in enumerate(members)
    ]
    outputs = keras.ops.stack([member(first.input) for member in named])
    return keras.Model(first.input, objective.averaged(outputs), name="network")


def averaged_graph(
    members: Sequence[onnx.ModelProto],
    activated: Callable[[tf.Tensor], dict[str, tf.Tensor]],
    objective: Objective,
) -> onnx.ModelProto:
    """One graph from the inputs of each of `members` to what `activated` makes of their averaged
    outputs. What is the same in several stands in it once: preprocessing, frozen backbones.

    Args:
        members: graphs of the same inputs, each with one output (n, K).
    """
    width = members[0].graph.output[0].type.tensor_type.shape.dim[1].dim_value
    takes = [
        tf.TensorSpec((None, width), tf.float32, name=f"outputs_{number}")
        for number in range(len(members))
    ]

    def answers(*outputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return activated(objective.averaged(tf.stack(outputs)))

    whole = convert(answers, takes)
    inputs = [*members[0].graph.input]
    nodes, tensors = list[onnx.NodeProto](), list[onnx.TensorProto]()
    for number, member in enumerate(members):
        _add(member, number, whole.graph.input[number].name, nodes, tensors)
    whole.ir_version = max(each.ir_version for each in (whole, *members))
    _replace(whole.graph.node, [*nodes, *whole.graph.node])
    _replace(whole.graph.initializer, [*tensors, *whole.graph.initializer])
    _replace(whole.graph.input, inputs)
    del whole.graph.value_info[:]
    drop_twins(whole.graph)
    onnx.checker.check_model(whole)
    return whole


def _add(
    member: onnx.ModelProto,
    number: int,
    output: str,
    nodes: list[onnx.NodeProto],
    tensors: list[onnx.TensorProto],
) -> None:
    """Adds a member's nodes and weights under names of its own, but for the inputs, which all
    share, and its output, which is to be called `output`."""
    prefix = MEMBER.format(number)
    shared = {prefix + each.name: each.name for each in member.graph.input}
    renamed = compose.add_prefix(member, prefix).graph
    shared[renamed.output[0].name] = output
    for node in renamed.node:
        for names in (node.input, node.output):
            names[:] = [shared.get(name, name) for name in names]
    nodes += renamed.node
    tensors += renamed.initializer


def drop_twins(graph: onnx.GraphProto) -> None:
    """Leaves each weight once, and of nodes that compute the same of the same the first one. Nodes
    stand after what they need."""
    of: dict[str, str] = {}  # a name that goes -> the one that stays
    known: dict[object, onnx.NodeProto | str] = {}
    tensors, nodes = [], []
    outputs = {each.name for each in graph.output}
    for tensor in graph.initializer:
        values = sha256(numpy_helper.to_array(tensor).tobytes()).digest()
        key: object = (tensor.data_type, tuple(tensor.dims), values)
        stays = known.setdefault(key, tensor.name)
        if stays == tensor.name:
            tensors.append(tensor)
        else:
            of[tensor.name] = str(stays)
    for node in graph.node:
        node.input[:] = [of.get(name, name) for name in node.input]
        twin = known.setdefault(_key(node), node)
        if isinstance(twin, onnx.NodeProto) and twin is not node and not outputs & {*node.output}:
            of |= dict(zip(node.output, twin.output, strict=True))
        else:
            nodes.append(node)
    _replace(graph.initializer, tensors)
    _replace(graph.node, nodes)


def _key(node: onnx.NodeProto) -> object:
    """What a node computes, and of what. One that draws at random is like no other."""
    if node.op_type.startswith(("Random", "Bernoulli", "Multinomial")):
        return node.name, *node.output
    attributes = tuple(
        sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute)
    )
    return node.op_type, node.domain, attributes, tuple(node.input), len(node.output)


def _replace(field: object, values: Sequence[object]) -> None:
    """Makes a repeated field of a message hold `values`, which may be its own."""
    copies = [*values]
    del field[:]  # type: ignore[attr-defined]  # protobuf's repeated field
    field.extend(copies)  # type: ignore[attr-defined]
