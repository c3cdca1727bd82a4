"""Parameters of networks that a job may say: a file per kind of items. Pure."""

from abc import abstractmethod
from itertools import pairwise
from math import prod
from typing import Annotated

from pydantic import Field

from app.errors import Coded, Finding
from app.sent import Array, Sent
from app.spec.mobilenet_layers import mobilenet
from app.spec.network_size import Layers, Shape

Width = Annotated[int, Field(ge=1, le=65_536)]


class Params(Sent):
    """Parameters of a network; alone, of one that is yet to be chosen: it has none."""

    @property
    def has_batch_norm(self) -> bool:
        """Tells whether they alone put BatchNorm into a network, whatever its family has."""
        return False


class NetworkParams(Params):
    @abstractmethod
    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        """Multiplications for one item (height, width, channels) on its way to the features,
        roughly. `tokens`: parts that a network may attend to one by one (`Inputs.tokens`)."""

    @abstractmethod
    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        """Layers from an item (height, width, channels) to the features."""

    def misfit(self, shape: Shape) -> Coded | None:
        """Says why there is no such network for images (height, width, channels)."""
        return None

    @property
    def has_dropout(self) -> bool:
        return False

    @property
    def looks_at_one_part(self) -> bool:
        """True where it takes one part of items of several."""
        return False

    @classmethod
    def shown_at(cls, shape: Shape) -> tuple[int, int] | None:
        """The size that pictures are brought to where a job does not say; None: their own."""
        return None


class MlpParams(NetworkParams):
    hidden: Array[Width] = Field((256,), min_length=1, max_length=16)
    dropout: float = Field(0.0, ge=0, lt=1)

    @property
    def has_dropout(self) -> bool:
        return self.dropout > 0

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        widths = (prod(shape), *self.hidden)
        return float(sum(one * other for one, other in pairwise(widths)))

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        layers = Layers(shape)
        layers.flatten()
        for width in self.hidden:
            layers.dense(width)
            layers.write()
            if self.dropout:
                layers.write()
        return layers


class ConvnetParams(NetworkParams):
    filters: Array[Width] = Field(
        (32, 64), min_length=1, max_length=8, description="one 3x3 convolution and pooling each"
    )
    dense: Width = 128
    dropout: float = Field(0.0, ge=0, lt=1)

    @property
    def has_dropout(self) -> bool:
        return self.dropout > 0

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        height, width, channels = shape
        total = 0
        for filters in self.filters:
            total += 9 * channels * filters * height * width
            height, width, channels = height // 2, width // 2, filters
        return float(total + height * width * channels * self.dense)

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        layers = Layers(shape)
        for filters in self.filters:
            layers.convolution(filters, 3)
            layers.norm()
            layers.pooling()
            layers.write()
        layers.flatten()
        layers.dense(self.dense)
        layers.write()
        if self.dropout:
            layers.write()
        return layers

    def misfit(self, shape: Shape) -> Coded | None:
        side, poolings = min(shape[:2]), len(self.filters)
        if side >> poolings >= 1:
            return None
        detail = f"expected at most {side.bit_length() - 1} filters for images of side {side}"
        return "too_many_layers", Finding(f"{detail}, got {poolings}", "#/model/params/filters")


MOBILENET_SIDE = 32


class MobilenetParams(NetworkParams):
    width: float = Field(
        0.35, gt=0, le=2, description="factor of the number of channels of every layer"
    )

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        """3.0e8 at width 1 and 224x224, 5.9e7 at width .35 (Sandler et al., table 4 and Keras)."""
        return 3.0e8 * float(self.width**1.55) * shape[0] * shape[1] / 224**2

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        return mobilenet(shape, self.width)

    def misfit(self, shape: Shape) -> Coded | None:
        height, width, channels = shape
        if min(height, width) >= MOBILENET_SIDE and channels in {1, 3}:
            return None
        detail = (
            f"expected images of {MOBILENET_SIDE}x{MOBILENET_SIDE} or more with 1 or 3 channels "
            f"for mobilenet, got {height}x{width}x{channels}; model.image_size resizes them"
        )
        return "image_too_small", Finding(detail, "#/model/image_size")
