"""The form that every reader of a file makes of it: a flat list of layers and calls. Nothing is
built."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.spec.imported.kinds import Kind
from app.spec.imported.layer import DoesNotFit, Shape
from app.spec.imported.structure import MOST_CALLS, MOST_LAYERS
from worker.importing.refusing import refused

MOST_PASSED = 20_000

Array = NDArray[np.float32]
Path = tuple[str | int, ...]  # on the way into the file
Weights = Callable[[Sequence[tuple[int, ...]]], list[Array]]


def _unknown(shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    raise ValueError("expected weights that are known, got a layer before its file was opened")


@dataclass
class ReadLayer:
    """`weights`: its arrays, float32, of the shapes that it is asked for; raises WorkFailure where
    they are of others."""

    kind: Kind
    path: Path
    weights: Weights = _unknown
    taken: tuple[Shape, ...] = ()  # of its first call


@dataclass
class ReadNetwork:
    """`calls`: the layer's place and what it takes, 0 the picture; `shapes`: of what is made."""

    shapes: list[Shape]
    layers: list[ReadLayer] = field(default_factory=list)
    calls: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    passed: int = 0

    def passes(self, path: Path) -> None:
        """Counts what makes no call: models within models could pass nothing on for ever. Raises
        WorkFailure."""
        self.passed += 1
        if self.passed > MOST_PASSED:
            raise refused("too_many_layers", f"expected at most {MOST_PASSED} steps", *path)

    def add(self, layer: ReadLayer) -> int:
        """Adds a layer and returns its place."""
        if len(self.layers) == MOST_LAYERS:
            raise refused("too_many_layers", f"expected at most {MOST_LAYERS} layers", *layer.path)
        self.layers.append(layer)
        return len(self.layers) - 1

    def call(self, place: int, taken: tuple[int, ...]) -> int:
        """The place of what it makes. Raises WorkFailure."""
        layer = self.layers[place]
        if len(self.calls) == MOST_CALLS:
            raise refused("too_many_layers", f"expected at most {MOST_CALLS} calls", *layer.path)
        shapes = tuple(self.shapes[each] for each in taken)
        try:
            made = layer.kind.out(shapes)
        except DoesNotFit as error:
            raise refused("layers_do_not_fit", str(error), *layer.path) from error
        layer.taken = layer.taken or shapes
        self.shapes.append(made)
        self.calls.append((place, taken))
        return len(self.calls)
