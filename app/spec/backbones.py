"""The catalogue of networks up to their features. worker/backbones builds them by name."""

from abc import abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from app.errors import Coded, Finding
from app.sent import Array, Pair, Sent
from app.spec.mobilenet_layers import mobilenet
from app.spec.network_size import Layers, Shape

Width = Annotated[int, Field(ge=1, le=65_536)]


class Params(Sent):
    """Of a network; alone, of one that is yet to be chosen: it has none."""


class NetworkParams(Params):
    @abstractmethod
    def multiplications(self, shape: Shape) -> float:
        """Of one image (height, width, channels) on its way to the features, roughly."""

    @abstractmethod
    def layers(self, shape: Shape) -> Layers:
        """From an image (height, width, channels) to the features."""

    def misfit(self, shape: Shape) -> Coded | None:
        """Why there is no such network for images (height, width, channels)."""
        return None


class MlpParams(NetworkParams):
    hidden: Array[Width] = Field((256,), min_length=1, max_length=16)
    dropout: float = Field(0.0, ge=0, lt=1)

    def multiplications(self, shape: Shape) -> float:
        widths = (prod(shape), *self.hidden)
        return float(sum(one * other for one, other in pairwise(widths)))

    def layers(self, shape: Shape) -> Layers:
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

    def multiplications(self, shape: Shape) -> float:
        height, width, channels = shape
        total = 0
        for filters in self.filters:
            total += 9 * channels * filters * height * width
            height, width, channels = height // 2, width // 2, filters
        return float(total + height * width * channels * self.dense)

    def layers(self, shape: Shape) -> Layers:
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

    def multiplications(self, shape: Shape) -> float:
        """3.0e8 at width 1 and 224x224, 5.9e7 at width .35 (Sandler et al., table 4 and Keras)."""
        return 3.0e8 * float(self.width**1.55) * shape[0] * shape[1] / 224**2

    def layers(self, shape: Shape) -> Layers:
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


class ModelChoice(Params):
    image_size: Pair[Width] | None = Field(
        None,
        description="height, width: source and target are resized to it inside the network; "
        "needed where their images differ in size",
    )
    bottleneck: Width | None = Field(
        None,
        description="a dense layer of so many units with BatchNorm at the backbone's end, as "
        "domain adaptation has it (256)",
    )

    def seen(self, shape: Shape) -> Shape:
        """Of images of `shape`, that of those which the backbone gets."""
        return (*(self.image_size or shape[:2]), shape[2])


class Mlp(ModelChoice):
    backbone: Literal["mlp"]
    params: MlpParams = MlpParams()


class Convnet(ModelChoice):
    backbone: Literal["convnet"]
    params: ConvnetParams = ConvnetParams()


class Mobilenet(ModelChoice):
    backbone: Literal["mobilenet"]
    params: MobilenetParams = MobilenetParams()


class AutoBackbone(ModelChoice):
    """Chosen when the job is accepted; the job's `selection` says what and why."""

    backbone: Literal["auto"] = "auto"
    params: Params = Params()


def _auto_unless_named(choice: Any) -> Any:
    return {"backbone": "auto", **choice} if isinstance(choice, dict) else choice


Backbone = Mlp | Convnet | Mobilenet
BackboneChoice = Annotated[
    Annotated[Backbone | AutoBackbone, Field(discriminator="backbone")],
    BeforeValidator(_auto_unless_named),
]


@dataclass(frozen=True)
class BackboneEntry:
    """What GET /v1/catalog/backbones says of one."""

    name: str
    summary: str
    params: type[NetworkParams]
    has_batch_norm: bool  # without a bottleneck, which has one
    bfloat16_pays: bool  # on a GPU that has it, against TF32, compiling included
    compiles_slowly: bool  # on a GPU, where each kind of convolution is tuned

    @property
    def params_schema(self) -> dict[str, Any]:
        return self.params.model_json_schema()


CATALOGUE: dict[str, BackboneEntry] = {
    entry.name: entry
    for entry in (
        BackboneEntry(
            "mlp",
            "Dense layers with ReLU on the flattened image.",
            MlpParams,
            has_batch_norm=False,
            bfloat16_pays=False,
            compiles_slowly=False,
        ),
        BackboneEntry(
            "convnet",
            "3x3 convolutions with BatchNorm, ReLU and 2x2 max pooling, then one dense layer.",
            ConvnetParams,
            has_batch_norm=True,
            bfloat16_pays=True,
            compiles_slowly=False,
        ),
        BackboneEntry(
            "mobilenet",
            "MobileNetV2 (Sandler et al., CVPR 2018) from random weights, for images of 32x32 and "
            "more.",
            MobilenetParams,
            has_batch_norm=True,
            bfloat16_pays=False,
            compiles_slowly=True,
        ),
    )
}
