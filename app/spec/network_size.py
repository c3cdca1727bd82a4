"""The size of a network, counted layer by layer without building it. Pure.

Parameters are exact, as Keras counts them (tests/backbones/test_network_size.py). Activations are
those that the operations of a training step write, each once.
"""

from dataclasses import dataclass
from math import prod

Shape = tuple[int, int, int]  # of an image: height, width, channels


@dataclass(frozen=True)
class Size:
    """Numbers (of 4 bytes each), not bytes."""

    parameters: int
    convolutions: int  # parameters that are kernels of convolutions
    kept: int  # activations of one image in a training step
    widest: int  # of one image, what inference holds at once at most
    features: int


class Layers:
    """Counts a network while its layers are named in their order."""

    def __init__(self, shape: Shape) -> None:
        self.height, self.width, self.channels = shape
        self._image = self._last = prod(shape)
        self._parameters = self._convolutions = 0
        self._kept, self._widest = self._image, self._image

    @property
    def size(self) -> Size:
        widest = self._image + self._widest
        features = self.height * self.width * self.channels
        return Size(self._parameters, self._convolutions, self._kept, widest, features)

    def convolution(self, filters: int, side: int, stride: int = 1) -> None:
        """Without a bias. Padded so that `stride` divides the sides, rounding up."""
        if stride > 1:
            self._write((self.height + 1) * (self.width + 1) * self.channels)
        self._kernel(side * side * self.channels * filters)
        self._shrink(stride)
        self.channels = filters
        self.write()

    def depthwise_convolution(self, side: int, stride: int) -> None:
        if stride > 1:
            self._write((self.height + 1) * (self.width + 1) * self.channels)
        self._kernel(side * side * self.channels)
        self._shrink(stride)
        self.write()

    def norm(self) -> None:
        """BatchNorm: scale, offset and two moving statistics."""
        self._parameters += 4 * self.channels
        self.write()

    def pooling(self) -> None:
        self.height, self.width = self.height // 2, self.width // 2
        self.write()

    def flatten(self) -> None:
        self.height, self.width, self.channels = 1, 1, self.height * self.width * self.channels

    def average(self) -> None:
        self.height = self.width = 1
        self.write()

    def dense(self, units: int, bias: bool = True) -> None:
        self._parameters += self.channels * units + (units if bias else 0)
        self.channels = units
        self.write()

    def write(self) -> None:
        """An operation of as many values as the last: ReLU, Dropout, a sum."""
        self._write(self.height * self.width * self.channels)

    def _write(self, values: int) -> None:
        self._kept += values
        self._widest = max(self._widest, self._last + values)
        self._last = values

    def _kernel(self, parameters: int) -> None:
        self._parameters += parameters
        self._convolutions += parameters

    def _shrink(self, stride: int) -> None:
        self.height, self.width = -(-self.height // stride), -(-self.width // stride)
