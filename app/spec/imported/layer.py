"""The contract of every kind of layer of an imported network: options, and what they do to a shape.

The kinds are those of Keras that are listed in `kinds.py`, with the options that change what they
compute. Nothing here needs Keras: a structure is checked, and counted, before any layer is built.
"""

from abc import abstractmethod
from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from app.sent import Array, Pair, Sent

Shape = tuple[int, ...]  # of one item, without the batch
Size = Annotated[int, Field(ge=1, le=2**20)]
Side = Annotated[int, Field(ge=1, le=4096)]
Number = Annotated[float, Field(strict=False, ge=-1e12, le=1e12)]  # JSON writes 1.0 as 1
Share = Annotated[float, Field(strict=False, ge=0, lt=1)]
Activation = Literal[
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "swish",
    "hard_silu",
    "hard_swish",
    "sigmoid",
    "hard_sigmoid",
    "tanh",
    "softmax",
    "softplus",
    "softsign",
    "exponential",
]
Padding = Literal["valid", "same"]
Sides = Pair[Side]

MOST_VALUES = 2**24  # of one item after any layer: 64 MiB
MOST_PARAMETERS = 2**28  # of a network: 1 GiB
MOST_KEPT = 2**28  # values of one item after all layers
MOST_MULTIPLICATIONS = 1e11  # of one item: seconds of a core


class DoesNotFit(ValueError):
    """A layer that cannot follow what comes before it; the message says why."""


class Layer(Sent):
    """One layer. `kind` is the name of its class in `keras.layers`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    is_convolution: ClassVar[bool] = False
    is_norm: ClassVar[bool] = False
    ranks: ClassVar[tuple[int, ...]] = (1, 2, 3)  # of the items that it takes
    joins: ClassVar[bool] = False  # takes several

    kind: str

    def out(self, taken: tuple[Shape, ...]) -> Shape:
        """The shape of what it makes of items of these shapes. Raises DoesNotFit."""
        if len(taken) != 1 and not self.joins:
            raise DoesNotFit(f"expected one input for {self.kind}, got {len(taken)}")
        if len(taken[0]) not in self.ranks:
            ranks = " or ".join(map(str, self.ranks))
            raise DoesNotFit(f"expected {ranks} dimensions before {self.kind}, got {len(taken[0])}")
        found = self.joined(taken) if self.joins else self.changed(taken[0])
        if not found or min(found) < 1 or prod(found) > MOST_VALUES:
            detail = f"expected at least 1 and at most {MOST_VALUES} values an item"
            raise DoesNotFit(f"{detail} after {self.kind}, got {prod(found)}")
        return found

    @abstractmethod
    def changed(self, shape: Shape) -> Shape:
        """The same of one item."""

    def joined(self, shapes: tuple[Shape, ...]) -> Shape:
        """The same of several, for kinds that join."""
        raise DoesNotFit(f"expected one input for {self.kind}, got {len(shapes)}")

    def parameters(self, shape: Shape) -> int:
        """Weights and moving statistics, where it takes items of `shape`."""
        return 0

    def multiplications(self, shape: Shape) -> float:
        """Multiplications for one item of `shape`, roughly."""
        return 0.0


class Same(Layer):
    """A kind that changes values and no shape."""

    def changed(self, shape: Shape) -> Shape:
        return shape


def strided(length: int, side: int, stride: int, padding: Padding, dilation: int = 1) -> int:
    """Returns what a window of `side` leaves of a line."""
    if padding == "same":
        return -(-length // stride)
    return (length - dilation * (side - 1) - 1) // stride + 1


__all__ = [
    "MOST_PARAMETERS",
    "MOST_VALUES",
    "Activation",
    "Array",
    "DoesNotFit",
    "Layer",
    "Number",
    "Padding",
    "Pair",
    "Same",
    "Shape",
    "Share",
    "Side",
    "Sides",
    "Size",
    "strided",
]
