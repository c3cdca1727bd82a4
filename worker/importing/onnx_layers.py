"""Nodes of an ONNX graph -> layers of ours, with their weights.

ONNX has pictures as (channels, height, width), ktl as (height, width, channels). What goes through
our layers always has channels last; of each value it is known in which order the graph has it, so
that a Transpose between the two is nothing, and a Flatten of the one is a Permute before the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from app.spec.imported.kinds import Kind
from app.spec.imported.layer import Shape
from worker.importing.onnx_graph import GRAPH, Constant, Graph, OnnxNode
from worker.importing.reading import Array, ReadLayer, ReadNetwork, Weights
from worker.importing.refusing import refused

Order = Literal["first", "last"]  # where the graph has the channels

_KINDS: TypeAdapter[Kind] = TypeAdapter(Kind)
ANY = -1
# Attributes that change no number of an inference, or say what is known of the inputs.
PASSED = frozenset({"is_test", "kernel_shape", "momentum", "noop_with_empty_axes", "ratio"})
PASSED |= {"round_mode", "saturate", "seed"}


@dataclass(frozen=True)
class Value:
    """A tensor of the graph. `place`: of ours in the network that is read."""

    place: int
    order: Order
    is_positive: bool = False  # none of its numbers is below 0


def kept(made: Value, x: Value) -> Value:
    """Returns what is made of `x` by moving its numbers alone."""
    return replace(made, is_positive=x.is_positive)


class OnnxReader:
    """Goes through the nodes once. `shape`: of what the network takes, channels last."""

    def __init__(self, graph: Graph, shape: Shape, order: Order) -> None:
        self.graph = graph
        self.network = ReadNetwork([shape])
        self.values = {graph.input: Value(0, order)}
        self._taken: set[tuple[int, int]] = set()  # inputs that were looked at
        self.uses: dict[str, int] = {}
        for node in graph.nodes:
            for name in node.inputs:
                self.uses[name] = self.uses.get(name, 0) + 1

    def shape(self, value: Value) -> Shape:
        return self.network.shapes[value.place]

    def value(self, node: OnnxNode, number: int) -> Value:
        """Returns what the node takes, as a tensor that depends on the picture. Raises
        WorkFailure."""
        self._taken.add((node.place, number))
        name = node.inputs[number] if number < len(node.inputs) else ""
        if name not in self.values:
            raise self.refuse(node, "a tensor that was made before", "inputs")
        return self.values[name]

    def is_value(self, node: OnnxNode, number: int) -> bool:
        return number < len(node.inputs) and node.inputs[number] in self.values

    def constant(self, node: OnnxNode, number: int) -> Constant | None:
        """The same as numbers that stand in the file; None where it is left out."""
        self._taken.add((node.place, number))
        name = node.inputs[number] if number < len(node.inputs) else ""
        if not name:
            return None
        if name not in self.graph.constants:
            raise self.refuse(node, "numbers that stand in the file", "inputs")
        return self.graph.constants[name]

    def check_known(self, node: OnnxNode) -> None:
        """Raises WorkFailure where the node has an attribute or an input that its reading has not
        looked at: it may change what comes out."""
        if node.attributes.keys() - node.attributes.asked - PASSED:
            raise self.refuse(node, "attributes that are known here", "attribute")
        inputs = {(node.place, number) for number, name in enumerate(node.inputs) if name}
        if inputs - self._taken:
            raise self.refuse(node, "inputs that are known here", "inputs")

    def ints(
        self, node: OnnxNode, attribute: str, number: int | None = None
    ) -> tuple[int, ...] | None:
        """Whole numbers that are an attribute, or an input in later opsets."""
        found = node.attributes.get(attribute)
        if found is None and number is not None:
            found = self.constant(node, number)
        return None if found is None else tuple(int(each) for each in np.ravel(found))

    def add(
        self,
        node: OnnxNode,
        kind: str,
        *taken: Value,
        arrays: Sequence[Array] = (),
        **options: Any,
    ) -> Value:
        """One more layer on these values."""
        path = (GRAPH, "node", node.place)
        try:
            layer = _KINDS.validate_python({"kind": kind, **options})
        except ValidationError as error:
            raise self.refuse(node, f"options that a {kind} can have", "attribute") from error
        weights = _stored(arrays, path)
        place = self.network.add(ReadLayer(layer, path, weights))
        made = self.network.call(place, tuple(each.place for each in taken))
        return Value(made, taken[0].order)

    def give(self, node: OnnxNode, value: Value) -> None:
        self.values[node.outputs[0]] = value

    def refuse(self, node: OnnxNode, what: str, *member: str) -> Exception:
        detail = f"expected {what}, got another, in an operator that is known otherwise"
        return refused("unsupported_operator", detail, GRAPH, "node", node.place, *member)

    def require(self, node: OnnxNode, **wanted: Any) -> None:
        """Attributes that may be no other than this, where they are there."""
        for name, value in wanted.items():
            found = node.attributes.get(name, value)
            found = list(found) if isinstance(value, list) else found
            if found != value:
                raise self.refuse(node, f"{name} {value}", "attribute")

    def positive(self, value: Value) -> Value:
        return replace(value, is_positive=True)

    def flat(self, node: OnnxNode, value: Value) -> Value:
        """All numbers in a row, in the order in which the graph has them."""
        shape = self.shape(value)
        if len(shape) == 1:
            return value
        if len(shape) == 3 and value.order == "first" and shape[0] * shape[1] > 1:
            value = self.add(node, "Permute", value, dims=[3, 1, 2])
        return replace(self.add(node, "Flatten", value), order="last")

    def axis(self, node: OnnxNode, value: Value, axis: int) -> int:
        """An axis of the graph's tensor as one of ours, -1 the channels, 0 and 1 the sides."""
        rank = len(self.shape(value)) + 1
        number = axis + rank if axis < 0 else axis
        if not 1 <= number < rank:
            raise self.refuse(node, "an axis that is not the batch's", "attribute")
        if rank == 2:
            return ANY
        if value.order == "first":
            return ANY if number == 1 else number - 2
        return ANY if number == rank - 1 else number - 1


def _stored(arrays: Sequence[Array], path: tuple[str | int, ...]) -> Weights:
    def weights(shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        if [array.shape for array in arrays] != list(shapes):
            detail = "expected weights of the shapes that the layer has, got others"
            raise refused("weights_do_not_fit", detail, *path)
        return [np.asarray(array, np.float32) for array in arrays]

    return weights


Operator = Callable[[OnnxReader, OnnxNode], None]
