"""Layers with windows over a picture: convolutions and poolings. Channels are last throughout."""

from math import prod
from typing import ClassVar, Literal

from app.spec.imported.layer import (
    Activation,
    DoesNotFit,
    Layer,
    Padding,
    Shape,
    Sides,
    Size,
    strided,
)


class _Window(Layer):
    """A window that goes over height and width."""

    ranks: ClassVar[tuple[int, ...]] = (3,)
    padding: Padding = "valid"

    def _moved(self, shape: Shape, side: Sides, stride: Sides, dilation: Sides = (1, 1)) -> Shape:
        """Height and width of what comes out."""
        if max(stride) > 1 < max(dilation):
            raise DoesNotFit(f"expected strides or a dilation for {self.kind}, got both")
        lines = zip(shape, side, stride, dilation, strict=False)
        return tuple(strided(n, k, s, self.padding, d) for n, k, s, d in lines)


class _Convolution(_Window):
    is_convolution: ClassVar[bool] = True

    kernel_size: Sides
    strides: Sides = (1, 1)
    dilation_rate: Sides = (1, 1)
    activation: Activation = "linear"
    use_bias: bool = True

    def _sides(self, shape: Shape) -> Shape:
        return self._moved(shape, self.kernel_size, self.strides, self.dilation_rate)

    def multiplications(self, shape: Shape) -> float:
        return float(prod(self._sides(shape)) * self.parameters(shape))


class Conv2D(_Convolution):
    """Convolution of one group: of several, XLA alone computes on a CPU, and no graph is made."""

    kind: Literal["Conv2D"]
    filters: Size
    groups: Literal[1] = 1

    def changed(self, shape: Shape) -> Shape:
        return *self._sides(shape), self.filters

    def parameters(self, shape: Shape) -> int:
        kernel = prod(self.kernel_size) * shape[2] * self.filters
        return kernel + self.use_bias * self.filters


class DepthwiseConv2D(_Convolution):
    kind: Literal["DepthwiseConv2D"]
    depth_multiplier: Size = 1

    def changed(self, shape: Shape) -> Shape:
        if self.strides[0] != self.strides[1]:
            raise DoesNotFit("expected two equal strides of DepthwiseConv2D")
        return *self._sides(shape), shape[2] * self.depth_multiplier

    def parameters(self, shape: Shape) -> int:
        channels = shape[2] * self.depth_multiplier
        return (prod(self.kernel_size) + self.use_bias) * channels


class SeparableConv2D(_Convolution):
    kind: Literal["SeparableConv2D"]
    filters: Size
    depth_multiplier: Size = 1

    def changed(self, shape: Shape) -> Shape:
        if self.strides[0] != self.strides[1]:
            raise DoesNotFit("expected two equal strides of SeparableConv2D")
        return *self._sides(shape), self.filters

    def parameters(self, shape: Shape) -> int:
        channels = shape[2] * self.depth_multiplier
        depthwise = prod(self.kernel_size) * channels
        return depthwise + (channels + self.use_bias) * self.filters


class _Pooling(_Window):
    pool_size: Sides = (2, 2)
    strides: Sides | None = None

    def changed(self, shape: Shape) -> Shape:
        return *self._moved(shape, self.pool_size, self.strides or self.pool_size), shape[2]

    def multiplications(self, shape: Shape) -> float:
        return float(prod(self.changed(shape)) * prod(self.pool_size))


class MaxPooling2D(_Pooling):
    kind: Literal["MaxPooling2D"]


class AveragePooling2D(_Pooling):
    kind: Literal["AveragePooling2D"]


class _GlobalPooling(Layer):
    ranks: ClassVar[tuple[int, ...]] = (3,)
    keepdims: bool = False

    def changed(self, shape: Shape) -> Shape:
        return (1, 1, shape[2]) if self.keepdims else (shape[2],)


class GlobalAveragePooling2D(_GlobalPooling):
    kind: Literal["GlobalAveragePooling2D"]


class GlobalMaxPooling2D(_GlobalPooling):
    kind: Literal["GlobalMaxPooling2D"]


class UpSampling2D(Layer):
    ranks: ClassVar[tuple[int, ...]] = (3,)
    kind: Literal["UpSampling2D"]
    size: Sides = (2, 2)
    interpolation: Literal["nearest", "bilinear"] = "nearest"

    def changed(self, shape: Shape) -> Shape:
        return shape[0] * self.size[0], shape[1] * self.size[1], shape[2]
