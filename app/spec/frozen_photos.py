"""A pretrained network for the pictures of items of several parts, which is frozen. Pure."""

from collections.abc import Collection
from typing import Annotated

from pydantic import Field

from app.errors import Coded, Finding
from app.inputs import Inputs
from app.inputs.image import ImageInputs
from app.inputs.joined import PARTS, JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.photo_features import PhotoFeaturesInputs
from app.spec.efficientnet_layers import FEATURES
from app.spec.network_params import NetworkParams, Width
from app.spec.network_size import Layers, Shape, Size
from app.spec.photo_params import PHOTO_PARAMS
from app.spec.source import Weights


class FrozenPhotosParams(NetworkParams):
    """The features that such a network gives; it never learns."""

    backbone: Annotated[str, Field(max_length=100)] = Field(
        description="a network of GET /v1/catalog/backbones whose `weights` are known; `auto`: the "
        "first of them that is there"
    )
    weights: Weights = Field("imagenet", description="what they were trained on")
    dense: Width = Field(128, description="that the features of a picture are brought to")
    dropout: float = Field(0.8, ge=0, lt=1, description="of its features, while others learn")

    @property
    def has_dropout(self) -> bool:
        return self.dropout > 0

    @property
    def reference(self) -> str:
        return f"{self.backbone}:{self.weights}"

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        """Those of its features, which are computed before."""
        return float(FEATURES * self.dense)

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        layers = Layers((1, 1, FEATURES))
        layers.write()
        if self.dropout:
            layers.write()
        layers.dense(self.dense)
        layers.write()
        return layers

    def misfit(self, shape: Shape) -> Coded | None:
        params = PHOTO_PARAMS.get(self.backbone)
        if params is None:
            known = ", ".join(PHOTO_PARAMS)
            detail = f"expected a network with known weights ({known}) or auto, got another name"
            return "unknown_backbone", Finding(detail, "#/model/params/backbone")
        return params().misfit(shape)

    @property
    def size(self) -> Size:
        """Size of the network itself, of pictures as large as it was trained on."""
        params = PHOTO_PARAMS[self.backbone]
        return params().layers((params.side, params.side, 3)).size

    def shown(self, pictures: ImageInputs, image_size: tuple[int, int] | None) -> tuple[int, int]:
        """The size that pictures are shown at: as the job says, else as suits the network."""
        return image_size or PHOTO_PARAMS[self.backbone].shown_at(pictures.layout)


def frozen(
    joint: JoinedInputs,
    params: FrozenPhotosParams,
    image_size: tuple[int, int] | None,
    digest: str,
    looked_at: Collection[str],
) -> JoinedInputs:
    """The items as a network sees them, pictures of the parts `looked_at` as features; `digest`: of
    the weights' file."""

    def seen(part: JoinedPart) -> JoinedPart:
        if part.name not in looked_at or not isinstance(part.inputs, ImageInputs):
            return part
        features = PhotoFeaturesInputs(
            shape=(FEATURES,),
            value_range=None,
            weights=params.reference,
            digest=digest,
            size=params.shown(part.inputs, image_size),
        )
        return part.model_copy(update={"inputs": features})

    return joint.model_copy(update={PARTS: tuple(map(seen, joint.parts))})


def thawed(joint: JoinedInputs, target: Inputs) -> JoinedInputs:
    """The items as clients send them: pictures, as the target has them, in place of features."""
    own = target.part if isinstance(target, JoinedInputs) else None

    def sent(part: JoinedPart) -> JoinedPart:
        if not isinstance(part.inputs, PhotoFeaturesInputs):
            return part
        theirs = own(part.name) if own else None
        return part.model_copy(update={"inputs": theirs.inputs if theirs else target})

    return joint.model_copy(update={PARTS: tuple(map(sent, joint.parts))})


def weights_seen(inputs: Inputs | None) -> str | None:
    """Weights of the frozen network whose features a job's network sees of pictures; None where it
    sees none."""
    parts = inputs.parts if isinstance(inputs, JoinedInputs) else ()
    seen = (part.inputs for part in parts)
    return next((each.weights for each in seen if isinstance(each, PhotoFeaturesInputs)), None)
