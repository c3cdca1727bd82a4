"""Parameters of networks for items of several parts that a job may say. Pure."""

from pydantic import Field

from app.errors import Coded, Finding
from app.inputs.layouts import JoinedLayout, PartLayout
from app.sent import Array
from app.spec.frozen_photos import FrozenPhotosParams
from app.spec.network_params import ConvnetParams, MlpParams, NetworkParams, Width
from app.spec.network_size import Layers, Shape, Size
from app.spec.text_params import CharconvParams

PARAMS = "#/model/params"
PICTURES = {"image", "photo_features"}


class FusionParams(NetworkParams):
    image: ConvnetParams = Field(
        ConvnetParams(filters=(16, 32, 64), dense=64), description="the `convnet` of pictures"
    )
    photos: FrozenPhotosParams | None = Field(
        None,
        exclude_if=lambda photos: photos is None,  # pretrainings of before have the same name
        description="a pretrained network for all pictures, in place of `image`, which is frozen: "
        '{"backbone": "efficientnet_lite0"}; its features are computed once',
    )
    table: MlpParams = Field(MlpParams(hidden=(64,)), description="the `mlp` of rows")
    text: CharconvParams = Field(CharconvParams(), description="the `charconv` of texts")
    shares_images: bool = Field(
        True,
        description="one network for all pictures of an item that have one size; false: one each",
    )
    width: Width = Field(128, description="that each part's features are brought to")
    hidden: Array[Width] = Field((128,), min_length=1, max_length=16, description="of all together")
    dropout: float = Field(0.0, ge=0, lt=1, description="before the layers of all together")
    parts: Array[str] | None = Field(
        None,
        min_length=1,
        description="parts that are looked at, where not all are: what one of them says alone",
    )

    @property
    def has_dropout(self) -> bool:
        of_parts = (self.photos or self.image, self.table, self.text)
        return self.dropout > 0 or any(each.has_dropout for each in of_parts)

    @property
    def frozen(self) -> Size | None:
        return self.photos.size if self.photos else None

    @property
    def looks_at_one_part(self) -> bool:
        return self.parts is not None and len(self.parts) == 1

    def of(self, part: PartLayout) -> NetworkParams:
        """The network of a part."""
        if part.modality in PICTURES and self.photos:
            return self.photos
        return {"image": self.image, "table": self.table, "text": self.text}[part.modality]

    def looked_at(self, shape: Shape) -> tuple[PartLayout, ...]:
        """Returns the parts of such a layout that the network takes."""
        assert isinstance(shape, JoinedLayout)
        return tuple(part for part in shape.parts if self.parts is None or part.name in self.parts)

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        of_parts = self.looked_at(shape)
        total = sum(self.of(part).multiplications(part.layout, part.tokens) for part in of_parts)
        return float(total + self.width * sum(self.hidden) + len(of_parts) * self.width**2)

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        layers = Layers(shape)
        of_parts, shared = self.looked_at(shape), set[PartLayout]()
        for part in of_parts:
            alike = part._replace(name="") if part.modality in PICTURES else part
            is_shared = self.shares_images and alike in shared
            shared.add(alike)
            own = self.of(part).layers(part.layout, part.tokens).size
            layers.beside(own, is_shared)
            layers.projected(own.features, self.width)
        layers.gathered(len(of_parts), self.width)
        for width in self.hidden:
            layers.dense(width)
            layers.write()
        return layers

    def misfit(self, shape: Shape) -> Coded | None:
        known = [part.name for part in shape.parts] if isinstance(shape, JoinedLayout) else []
        if any(name not in known for name in self.parts or ()):
            detail = f"expected parts of the items, {', '.join(known)}, got others"
            return "unknown_part", Finding(detail, f"{PARAMS}/parts")
        looked_at = self.looked_at(shape)
        if self.photos and not any(part.modality in PICTURES for part in looked_at):
            detail = "expected items with pictures for `photos`, got none; leave it out"
            return "no_pictures", Finding(detail, f"{PARAMS}/photos")
        for part in looked_at:
            if wrong := self.of(part).misfit(part.layout):
                code, finding = wrong
                field = "photos" if self.of(part) is self.photos else part.modality
                at = (finding.pointer or "").replace(PARAMS, f"{PARAMS}/{field}", 1)
                return code, Finding(finding.detail, at)
        return None
