"""Parameters of networks for photos that a job may say. Pure."""

from typing import ClassVar

from app.errors import Coded, Finding
from app.spec.efficientnet_layers import FEATURES, efficientnet_lite, multiplications
from app.spec.network_params import NetworkParams
from app.spec.network_size import Layers, Shape

LEAST_SIDE = 32
SMALL_PICTURE, SMALL_SIDE = 64, 128  # pictures of less are shown at SMALL_SIDE


class PhotoParams(NetworkParams):
    """No parameters: the weights of such a network are those of one width and one depth."""

    name: ClassVar[str]
    side: ClassVar[int] = 224  # that its weights were trained at

    def misfit(self, shape: Shape) -> Coded | None:
        height, width, channels = shape
        if channels not in {1, 3}:
            detail = f"expected pictures with 1 or 3 channels for {self.name}, got {channels}"
            return "unfit_channels", Finding(detail, "#/target/dataset")
        if min(height, width) >= LEAST_SIDE:
            return None
        detail = (
            f"expected pictures of {LEAST_SIDE}x{LEAST_SIDE} or more for {self.name}, got "
            f"{height}x{width}; model.image_size resizes them"
        )
        return "image_too_small", Finding(detail, "#/model/image_size")

    @classmethod
    def shown_at(cls, shape: Shape) -> tuple[int, int]:
        """The size that pictures are brought to where a job does not say: small ones hold less
        than the network's own size shows, and cost less at half of it."""
        side = SMALL_SIDE if max(shape[:2]) < SMALL_PICTURE else cls.side
        return side, side


class EfficientnetLiteParams(PhotoParams):
    width: ClassVar[float] = 1.0
    depth: ClassVar[float] = 1.0

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        return float(multiplications(shape, self.width, self.depth))

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        return efficientnet_lite(shape, self.width, self.depth)


class EfficientnetLite0Params(EfficientnetLiteParams):
    name = "efficientnet_lite0"


class EfficientnetLite1Params(EfficientnetLiteParams):
    name, depth, side = "efficientnet_lite1", 1.1, 240


class EfficientnetLite2Params(EfficientnetLiteParams):
    name, width, depth, side = "efficientnet_lite2", 1.1, 1.2, 260


class EfficientnetV2B0Params(PhotoParams):
    """Counted of the network that Keras builds; activations and multiplications by pixel."""

    name = "efficientnetv2_b0"

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        return 14_300.0 * shape[0] * shape[1]

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        pixels = shape[0] * shape[1]
        layers = Layers((shape[0], shape[1], 3))
        layers.whole(
            parameters=5_919_312,
            convolutions=5_784_576,
            kept=325 * pixels,
            widest=16 * pixels,
            features=FEATURES,
        )
        return layers


PHOTO_PARAMS: dict[str, type[PhotoParams]] = {
    each.name: each
    for each in (
        EfficientnetLite0Params,
        EfficientnetLite1Params,
        EfficientnetLite2Params,
        EfficientnetV2B0Params,
    )
}
