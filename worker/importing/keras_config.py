"""config.json of a .keras archive -> a flat list of layers and calls, with where the weights of
each stand. Nested models are unfolded; nothing is built."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.spec.imported.layer import MOST_VALUES, Shape
from app.spec.imported.structure import MOST_LAYERS
from worker.importing.archive import CONFIG
from worker.importing.keras_layers import LEFT_OUT, Entry, check_axis, entry_of, kind_of
from worker.importing.keras_names import Names
from worker.importing.nodes import Node, end_of, node_of
from worker.importing.reading import Path, ReadLayer, ReadNetwork
from worker.importing.refusing import refused

DEEPEST = 6  # models within models
NORMALIZATION = "Normalization"


@dataclass
class KerasLayer(ReadLayer):
    """`entry`: as it stands in the config; `stored`: its group in the file of weights."""

    entry: Entry = field(kw_only=True)
    stored: str = field(kw_only=True)

    def settle(self, constants: Mapping[str, Any]) -> None:
        """Gives it options that its config does not hold as they are here. Raises WorkFailure."""
        self.kind = kind_of(self.entry, constants)


@dataclass(frozen=True)
class _Leaf:
    place: int

    entry: Entry

    def apply(self, network: ReadNetwork, taken: tuple[int, ...], path: Path) -> int:
        check_axis(self.entry, len(network.shapes[taken[0]]) + 1)
        return network.call(self.place, taken)


@dataclass(frozen=True)
class _Passing:
    """A layer that is left out, or an input."""

    def apply(self, network: ReadNetwork, taken: tuple[int, ...], path: Path) -> int:
        network.passes(path)
        if len(taken) != 1:
            raise refused("layers_do_not_fit", "expected one input", *path)
        return taken[0]


@dataclass(frozen=True)
class _Chain:
    """Sequential."""

    parts: Sequence["_Part"]

    def apply(self, network: ReadNetwork, taken: tuple[int, ...], path: Path) -> int:
        network.passes(path)
        for part in self.parts:
            taken = (part.apply(network, taken, path),)
        if len(taken) != 1:
            raise refused("layers_do_not_fit", "expected one input", *path)
        return taken[0]


@dataclass(frozen=True)
class _Graph:
    """Functional: parts by their names, each with its calls."""

    parts: Mapping[str, "_Part"]
    nodes: Mapping[tuple[str, int], Node]
    start: str
    end: tuple[str, int]

    def apply(self, network: ReadNetwork, taken: tuple[int, ...], path: Path) -> int:
        """Goes backwards from the end with a stack of its own."""
        network.passes(path)
        if len(taken) != 1:
            raise refused("layers_do_not_fit", "expected one input", *path)
        made = {(self.start, 0): taken[0]}
        stack, waiting = [self.end], set[tuple[str, int]]()
        while stack:
            key = stack[-1]
            if key in made:
                stack.pop()
                continue
            if key not in self.nodes:
                raise refused("invalid_config", "expected calls on what other layers make", *path)
            node = self.nodes[key]
            missing = [each for each in node.taken if each not in made]
            if missing and key in waiting:
                raise refused("invalid_config", "expected layers without a circle", *path)
            waiting.add(key)
            stack += missing
            if not missing:
                given = tuple(made[each] for each in node.taken)
                made[key] = self.parts[key[0]].apply(network, given, node.path)
                stack.pop()
        return made[self.end]


_Part = _Leaf | _Passing | _Chain | _Graph


def read_config(raw: Any, taken: Shape) -> ReadNetwork:
    """Args:
        raw: config.json.
        taken: the shape of what the network takes, see `declared_input`.

    Raises:
        WorkFailure: `model_invalid`, with the place in the config.
    """
    entry = _model_of(raw)
    network = ReadNetwork([taken])
    _part(network, entry, "", 0).apply(network, (0,), entry.path)
    if not network.calls:
        raise refused("invalid_config", "expected at least one layer", CONFIG)
    return network


def declared_input(raw: Any) -> tuple[int | None, ...] | None:
    """Returns what the config says of the shape of an item, None for sides that are free; None
    where it says nothing. Raises WorkFailure."""
    entry = _model_of(raw)
    layers = entry.config.get("layers")
    first = [each for each in layers if _is_input(each)] if isinstance(layers, list) else []
    if len(first) > 1:
        detail = f"expected a network with one input, got {len(first)}"
        raise refused("several_inputs", detail, *entry.path, "input_layers")
    built = entry.raw.get("build_config")
    shape = entry.config.get("build_input_shape") or (
        built.get("input_shape") if isinstance(built, dict) else None
    )
    if first:
        config = first[0]["config"]
        shape = config.get("batch_shape") or config.get("batch_input_shape")
    if shape is None:
        return None
    sides = shape[1:] if isinstance(shape, list) else []
    if not 1 <= len(sides) <= 3 or not all(_is_side(each) for each in sides):
        detail = "expected an input of 1 to 3 dimensions besides the batch's"
        raise refused("invalid_config", detail, *entry.path)
    return tuple(sides)


def _calls_of(entry: Entry) -> list[Any]:
    calls = entry.raw.get("inbound_nodes") or []
    if not isinstance(calls, list):
        detail = "expected a list of calls"
        raise refused("invalid_config", detail, *entry.path[:-1], "inbound_nodes")
    return calls


def _is_input(raw: Any) -> bool:
    is_one = isinstance(raw, dict) and raw.get("class_name") == "InputLayer"
    return is_one and isinstance(raw.get("config"), dict)


def _is_side(value: Any) -> bool:
    return value is None or (type(value) is int and 1 <= value <= MOST_VALUES)


def _model_of(raw: Any) -> Entry:
    entry = entry_of(raw, (CONFIG,))
    if not entry.is_model:
        detail = "expected a Sequential or a Functional model"
        raise refused("unknown_layer", detail, CONFIG, "class_name")
    return entry


def _part(network: ReadNetwork, entry: Entry, stored: str, depth: int) -> _Part:
    if not entry.is_model:
        if entry.class_name in LEFT_OUT:
            network.left_out.append(entry.class_name)
            return _Passing()
        if entry.class_name == "InputLayer":
            return _Passing()
        constants = {"mean": [0.0], "variance": [1.0]} if entry.class_name == NORMALIZATION else {}
        kind = kind_of(entry, constants)
        layer = KerasLayer(kind, entry.path, entry=entry, stored=stored)
        return _Leaf(network.add(layer), entry)
    if depth == DEEPEST:
        raise refused("too_deep", f"expected at most {DEEPEST} models within models", *entry.path)
    raw = entry.config.get("layers")
    if not isinstance(raw, list) or not raw or len(raw) > MOST_LAYERS:
        detail = f"expected a list of 1 to {MOST_LAYERS} layers"
        raise refused("invalid_config", detail, *entry.path, "layers")
    entries = [entry_of(each, (*entry.path, "layers", i)) for i, each in enumerate(raw)]
    names = Names(f"{stored}/layers/" if stored else "layers/")
    parts = [_part(network, each, names.of(each.class_name), depth + 1) for each in entries]
    if entry.class_name == "Sequential":
        return _Chain(parts)
    by_name = {each.name: part for each, part in zip(entries, parts, strict=True)}
    if len(by_name) != len(parts):
        raise refused(
            "invalid_config", "expected names of layers, each once", *entry.path, "layers"
        )
    nodes = {
        (each.name, number): node_of(
            node, (*each.path[:-1], "inbound_nodes", number), each.class_name in LEFT_OUT
        )
        for each in entries
        for number, node in enumerate(_calls_of(each))
    }
    outputs = entry.config.get("output_layers")
    if isinstance(outputs, list) and len(outputs) > 1 and isinstance(outputs[0], list):
        detail = (
            f"expected a network with one output, got {len(outputs)}: save the one that gives the "
            "classes, as `keras.Model(model.inputs, model.outputs[0])`"
        )
        raise refused("several_outputs", detail, *entry.path, "output_layers")
    start, end = (
        end_of(entry.config.get(side), (*entry.path, side))
        for side in ("input_layers", "output_layers")
    )
    return _Graph(by_name, nodes, start[0], end)
