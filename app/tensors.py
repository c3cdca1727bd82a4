"""Named arrays: how items travel from a store to a network and from a request to a graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, Self

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
        """Bytes of one item, as it is stored."""
        return self.values * BYTES[self.dtype]


@dataclass(frozen=True, eq=False)
class TensorBatch:
    """Several named tensors of the same n >= 1 items, which are cut together as an array is."""

    tensors: Tensors

    def __len__(self) -> int:
        return len(next(iter(self.tensors.values())))

    def __getitem__(self, rows: slice | NDArray[Any]) -> Self:
        return type(self)({name: values[rows] for name, values in self.tensors.items()})

    @property
    def nbytes(self) -> int:
        return sum(values.nbytes for values in self.tensors.values())

    @property
    def values(self) -> int:
        """Numbers of one item."""
        return sum(prod(values.shape[1:]) for values in self.tensors.values())


def together(tensors: Tensors) -> NDArray[Any] | TensorBatch:
    """Items of one tensor as that array, of several as a batch of them."""
    if len(tensors) > 1:
        return TensorBatch(tensors)
    (only,) = tensors.values()
    return only
