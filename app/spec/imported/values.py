"""Layers that change values: dense ones, norms, activations, Dropout, constants."""

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.spec.imported.layer import (
    Activation,
    Array,
    DoesNotFit,
    Layer,
    Number,
    Same,
    Shape,
    Share,
    Size,
)

Epsilon = Annotated[float, Field(strict=False, gt=0, le=1)]
Constants = Annotated[Array[Number], Field(max_length=4096)]
Last = Literal[-1]


class Dense(Layer):
    """Dense layer on the last axis of whatever comes."""

    kind: Literal["Dense"]
    units: Size
    activation: Activation = "linear"
    use_bias: bool = True

    def changed(self, shape: Shape) -> Shape:
        return *shape[:-1], self.units

    def parameters(self, shape: Shape) -> int:
        return (shape[-1] + self.use_bias) * self.units

    def multiplications(self, shape: Shape) -> float:
        return float(prod(shape) * self.units)


class BatchNormalization(Same):
    is_norm: ClassVar[bool] = True
    kind: Literal["BatchNormalization"]
    epsilon: Epsilon = 0.001
    center: bool = True
    scale: bool = True

    def parameters(self, shape: Shape) -> int:
        return (2 + self.center + self.scale) * shape[-1]


class LayerNormalization(Same):
    kind: Literal["LayerNormalization"]
    epsilon: Epsilon = 0.001
    center: bool = True
    scale: bool = True

    def parameters(self, shape: Shape) -> int:
        return (self.center + self.scale) * shape[-1]


class GroupNormalization(Same):
    ranks: ClassVar[tuple[int, ...]] = (3,)
    kind: Literal["GroupNormalization"]
    groups: Size
    epsilon: Epsilon = 0.001
    center: bool = True
    scale: bool = True

    def changed(self, shape: Shape) -> Shape:
        if shape[-1] % self.groups:
            raise DoesNotFit("expected groups of GroupNormalization that divide the channels")
        return shape

    def parameters(self, shape: Shape) -> int:
        return (self.center + self.scale) * shape[-1]


class ActivationLayer(Same):
    kind: Literal["Activation"]
    activation: Activation


class ReLU(Same):
    kind: Literal["ReLU"]
    max_value: Number | None = None
    negative_slope: Number = 0.0
    threshold: Number = 0.0


class LeakyReLU(Same):
    kind: Literal["LeakyReLU"]
    negative_slope: Number = 0.3


class ELU(Same):
    kind: Literal["ELU"]
    alpha: Number = 1.0


class PReLU(Same):
    kind: Literal["PReLU"]
    shared_axes: Annotated[Array[Annotated[int, Field(ge=1, le=3)]], Field(max_length=3)] | None = (
        None
    )

    def changed(self, shape: Shape) -> Shape:
        if max(self.shared_axes or (0,)) > len(shape):
            raise DoesNotFit("expected shared_axes of PReLU that its input has")
        return shape

    def parameters(self, shape: Shape) -> int:
        shared = {axis - 1 for axis in self.shared_axes or ()}
        return prod(side for axis, side in enumerate(shape) if axis not in shared)


class Softmax(Same):
    kind: Literal["Softmax"]


class Dropout(Same):
    """`noise_shape`: of the mask, of which axes that are 1 share one number, the batch's too."""

    kind: Literal["Dropout"]
    rate: Share
    noise_shape: Annotated[Array[Literal[1] | None], Field(max_length=4)] | None = None

    def changed(self, shape: Shape) -> Shape:
        if self.noise_shape and len(self.noise_shape) != len(shape) + 1:
            raise DoesNotFit("expected a noise_shape of Dropout of as many axes as its input has")
        return shape


class SpatialDropout2D(Same):
    ranks: ClassVar[tuple[int, ...]] = (3,)
    kind: Literal["SpatialDropout2D"]
    rate: Share


class _Constant(Same):
    """Numbers by the channel, or one for all."""

    def _fits(self, shape: Shape, *constants: float | tuple[float, ...]) -> None:
        for each in constants:
            if isinstance(each, tuple) and len(each) not in {1, shape[-1]}:
                detail = f"expected 1 or {shape[-1]} numbers of {self.kind}, got {len(each)}"
                raise DoesNotFit(detail)


class Rescaling(_Constant):
    """x * scale + offset."""

    kind: Literal["Rescaling"]
    scale: Number | Constants
    offset: Number | Constants = 0.0

    def changed(self, shape: Shape) -> Shape:
        self._fits(shape, self.scale, self.offset)
        return shape


class Normalization(_Constant):
    """(x - mean) / sqrt(variance)."""

    kind: Literal["Normalization"]
    mean: Constants
    variance: Constants

    def changed(self, shape: Shape) -> Shape:
        self._fits(shape, self.mean, self.variance)
        return shape
