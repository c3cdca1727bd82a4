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
    lookups: int = 0  # parameters that stand in tables of which an item takes rows


class Layers:
    """Counts a network while its layers are named in their order."""

    def __init__(self, shape: Shape) -> None:
        self.height, self.width, self.channels = shape
        self._image = self._last = prod(shape)
        self._parameters = self._convolutions = self._lookups = 0
        self._kept, self._widest = self._image, self._image

    @property
    def size(self) -> Size:
        widest = self._image + self._widest
        features = self.height * self.width * self.channels
        return Size(
            self._parameters, self._convolutions, self._kept, widest, features, self._lookups
        )

    def convolution(self, filters: int, side: int, stride: int = 1) -> None:
        """Adds a convolution without a bias. Padded so that `stride` divides the sides, rounding
        up."""
        if stride > 1:
            self._write((self.height + 1) * (self.width + 1) * self.channels)
        self._kernel(side * side * self.channels * filters)
        self._shrink(stride)
        self.channels = filters
        self.write()

    def activated_convolution(self, filters: int, side: int, stride: int = 1) -> None:
        """Adds a convolution, BatchNorm and what cuts it off below 0."""
        self.convolution(filters, side, stride)
        self.norm()
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

    def counted(
        self, parameters: int, convolutions: int, kept: int, widest: int, features: int
    ) -> None:
        """Takes over the counts of layers up to the features that were counted elsewhere; `kept`
        and `widest` with the image."""
        self._parameters += parameters
        self._convolutions += convolutions
        self._kept += kept - self._image
        self._widest = max(self._widest, widest - self._image)
        self.height, self.width, self.channels = 1, 1, features
        self._last = features

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

    def members(self, count: int) -> None:
        """A factor of each number for each of `count` members, which stand beside each other."""
        self._parameters += count * self.channels
        self.width = count
        self.write()

    def scales(self) -> None:
        """A factor and an offset of each number of each member, and the members' mean."""
        self._parameters += 2 * self.width * self.channels
        self.write()
        self.average()

    def tokens(self, count: int, units: int) -> None:
        """Each of `count` parts as a vector of `units`, with an offset of its own, and one more."""
        self._parameters += (self.height * self.width * self.channels + count + 1) * units
        self.height, self.width, self.channels = 1, count + 1, units
        self.write()

    def lookups(self, tables: tuple[int, ...], units: int) -> None:
        """Each place's vector of `units` of each table of so many rows, their sum, and its places
        beyond the item's end wiped out."""
        self._parameters += sum(tables) * units
        self._lookups += sum(tables) * units
        self.channels = units
        for _ in tables:
            self.write()
        self.write()
        self.write()

    def ngrams(self, widths: tuple[int, ...], filters: int) -> None:
        """Convolutions along the places, beside each other, with a bias and ReLU, wiped out beyond
        the item's end, and their max and mean over all places."""
        for width in widths:
            self._kernel(width * self.channels * filters)
            self._parameters += filters
            for _ in range(3):
                self._write(self.width * filters)
        self.width, self.channels = 1, 2 * len(widths) * filters
        self.write()
        self.write()

    def attention(self, heads: int) -> None:
        """Adds the attention of all parts to each other, after a norm, and added to what went
        in."""
        self.layer_norm()
        self._parameters += 4 * (self.channels + 1) * self.channels
        for _ in range(3):
            self.write()
        for _ in range(2):
            self._write(heads * self.width * self.width)
        for _ in range(3):
            self.write()

    def gated(self, inner: int) -> None:
        """Two layers of `inner` units, their product and a layer back, after a norm, and added."""
        units = self.channels
        self.layer_norm()
        self._parameters += (units + 1) * inner
        self.dense(inner)
        self.write()
        self.dense(units)
        self.write()

    def layer_norm(self) -> None:
        self._parameters += 2 * self.channels
        self.write()

    def first(self) -> None:
        """Takes of the parts the first alone, after a norm, and ReLU."""
        self.width = 1
        self.layer_norm()
        self.write()

    def beside(self, size: Size, is_shared: bool) -> None:
        """A network on a part of the item; `is_shared`: its parameters are another part's too."""
        self._parameters += 0 if is_shared else size.parameters
        self._convolutions += 0 if is_shared else size.convolutions
        self._lookups += 0 if is_shared else size.lookups
        self._kept += size.kept
        self._widest = max(self._widest, size.widest)

    def projected(self, features: int, units: int) -> None:
        """Counts features brought to `units`, and whether the part is there."""
        self._parameters += (features + 1) * units
        for _ in range(3):
            self._write(units)

    def gathered(self, parts: int, units: int) -> None:
        """The mean of parts, and what is learnt of those that are missing."""
        self._parameters += parts * units
        self.height, self.width, self.channels = 1, 1, units
        for _ in range(3):
            self.write()

    def whole(
        self, parameters: int, convolutions: int, kept: int, widest: int, features: int
    ) -> None:
        """A network that is counted already, up to its features."""
        self._parameters += parameters
        self._convolutions += convolutions
        self._kept += kept
        self._widest = max(self._widest, widest)
        self.height, self.width, self.channels = 1, 1, features
        self._last = features

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
