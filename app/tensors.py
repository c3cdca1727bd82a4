"""Named arrays: how items travel from a store to a network and from a request to a graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from numpy.typing import NDArray

Dtype = Literal["uint8", "int32", "float32", "bool", "string"]
Tensors = Mapping[str, NDArray[Any]]  # every array (n, *shape of its TensorSpec)

BYTES: dict[str, int] = {"uint8": 1, "int32": 4, "float32": 4, "bool": 1, "string": 8}


@dataclass(frozen=True)
class TensorSpec:
    """One tensor of one item: `shape` without the items' dimension, () for a number."""

    name: str
    dtype: Dtype
    shape: tuple[int, ...]

    @property
    def values(self) -> int:
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Of one item, as it is stored."""
        return self.values * BYTES[self.dtype]
