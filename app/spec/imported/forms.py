"""Layers that change the form of an item, or join several."""

from functools import reduce
from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.spec.imported.layer import Array, DoesNotFit, Layer, Pair, Shape, Side

Edge = Annotated[int, Field(ge=0, le=4096)]
Edges = Pair[Pair[Edge]]


class Flatten(Layer):
    kind: Literal["Flatten"]

    def changed(self, shape: Shape) -> Shape:
        return (prod(shape),)


class Reshape(Layer):
    kind: Literal["Reshape"]
    target_shape: Annotated[Array[Side | Literal[-1]], Field(min_length=1, max_length=3)]

    def changed(self, shape: Shape) -> Shape:
        values, given = prod(shape), [side for side in self.target_shape if side > 0]
        is_open = len(given) < len(self.target_shape)
        left = values // prod(given)
        wholly = prod(given) * (left if is_open else 1) == values
        if len(self.target_shape) - len(given) > 1 or not wholly:
            raise DoesNotFit(f"expected a target_shape of Reshape that holds {values} values")
        return tuple(left if side < 0 else side for side in self.target_shape)


class Permute(Layer):
    kind: Literal["Permute"]
    dims: Annotated[Array[Annotated[int, Field(ge=1, le=3)]], Field(min_length=1, max_length=3)]

    def changed(self, shape: Shape) -> Shape:
        if sorted(self.dims) != list(range(1, len(shape) + 1)):
            raise DoesNotFit("expected dims of Permute that name each axis once")
        return tuple(shape[axis - 1] for axis in self.dims)


class _Edged(Layer):
    ranks: ClassVar[tuple[int, ...]] = (3,)


class ZeroPadding2D(_Edged):
    kind: Literal["ZeroPadding2D"]
    padding: Edges

    def changed(self, shape: Shape) -> Shape:
        return shape[0] + sum(self.padding[0]), shape[1] + sum(self.padding[1]), shape[2]


class Cropping2D(_Edged):
    kind: Literal["Cropping2D"]
    cropping: Edges

    def changed(self, shape: Shape) -> Shape:
        return shape[0] - sum(self.cropping[0]), shape[1] - sum(self.cropping[1]), shape[2]


class _Join(Layer):
    joins: ClassVar[bool] = True

    def changed(self, shape: Shape) -> Shape:
        return shape

    def joined(self, shapes: tuple[Shape, ...]) -> Shape:
        if len(shapes) < 2:
            raise DoesNotFit(f"expected at least 2 inputs of {self.kind}, got {len(shapes)}")
        return reduce(self._widened, shapes)

    def _widened(self, one: Shape, other: Shape) -> Shape:
        if len(one) != len(other) or any(
            a != b and 1 not in (a, b) for a, b in zip(one, other, strict=True)
        ):
            raise DoesNotFit(f"expected inputs of {self.kind} of one shape")
        return tuple(max(pair) for pair in zip(one, other, strict=True))


class Add(_Join):
    kind: Literal["Add"]


class Subtract(_Join):
    kind: Literal["Subtract"]

    def joined(self, shapes: tuple[Shape, ...]) -> Shape:
        if len(shapes) != 2:
            raise DoesNotFit(f"expected 2 inputs of Subtract, got {len(shapes)}")
        return super().joined(shapes)


class Multiply(_Join):
    kind: Literal["Multiply"]


class Average(_Join):
    kind: Literal["Average"]


class Maximum(_Join):
    kind: Literal["Maximum"]


class Minimum(_Join):
    kind: Literal["Minimum"]


class Concatenate(_Join):
    """Along the last axis."""

    kind: Literal["Concatenate"]

    def _widened(self, one: Shape, other: Shape) -> Shape:
        if one[:-1] != other[:-1]:
            raise DoesNotFit("expected inputs of Concatenate that differ in the last axis alone")
        return *one[:-1], one[-1] + other[-1]
