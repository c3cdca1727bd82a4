"""The catalogue of networks up to their features. worker/backbones builds them by name."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from app.inputs.encoders import E5_SMALL
from app.inputs.layouts import JoinedLayout
from app.spec.backbone_entry import (
    OF_BERT,
    OF_FEATURES,
    OF_PARTS,
    OF_PHOTOS,
    OF_TABLES,
    BackboneEntry,
)
from app.spec.fusion_params import FusionParams
from app.spec.imported.choice import Imported
from app.spec.model_choice import ModelChoice
from app.spec.network_params import (
    ConvnetParams,
    MlpParams,
    MobilenetParams,
    Params,
)
from app.spec.network_size import Shape, Size
from app.spec.photo_params import (
    EfficientnetLite0Params,
    EfficientnetLite1Params,
    EfficientnetLite2Params,
    EfficientnetLiteParams,
    EfficientnetV2B0Params,
)
from app.spec.table_params import FtTransformerParams, TabmParams
from app.spec.text_choices import Charconv, E5Small, SentenceEncoder


class Mlp(ModelChoice):
    backbone: Literal["mlp"]
    params: MlpParams = MlpParams()


class Convnet(ModelChoice):
    backbone: Literal["convnet"]
    params: ConvnetParams = ConvnetParams()


class Mobilenet(ModelChoice):
    backbone: Literal["mobilenet"]
    params: MobilenetParams = MobilenetParams()


class EfficientnetLite(ModelChoice):
    """One of the sizes of a family; a job names the size."""

    params: EfficientnetLiteParams


class EfficientnetLite0(EfficientnetLite):
    backbone: Literal["efficientnet_lite0"]
    params: EfficientnetLite0Params = EfficientnetLite0Params()


class EfficientnetLite1(EfficientnetLite):
    backbone: Literal["efficientnet_lite1"]
    params: EfficientnetLite1Params = EfficientnetLite1Params()


class EfficientnetLite2(EfficientnetLite):
    backbone: Literal["efficientnet_lite2"]
    params: EfficientnetLite2Params = EfficientnetLite2Params()


class EfficientnetV2B0(ModelChoice):
    backbone: Literal["efficientnetv2_b0"]
    params: EfficientnetV2B0Params = EfficientnetV2B0Params()


class Tabm(ModelChoice):
    backbone: Literal["tabm"]
    params: TabmParams = TabmParams()


class FtTransformer(ModelChoice):
    backbone: Literal["ft_transformer"]
    params: FtTransformerParams = FtTransformerParams()


class Fusion(ModelChoice):
    backbone: Literal["fusion"]
    params: FusionParams = FusionParams()

    @property
    def frozen(self) -> Size | None:
        return self.params.frozen

    def seen(self, shape: Shape) -> Shape:
        """The shape with pictures of the size that they are brought to."""
        assert isinstance(shape, JoinedLayout)
        if self.image_size is None:
            return shape
        sides = self.image_size
        return JoinedLayout.of(
            [
                part._replace(layout=(*sides, part.layout[2])) if part.modality == "image" else part
                for part in shape.parts
            ]
        )


class AutoBackbone(ModelChoice):
    """Chosen when the job is accepted; the job's `selection` says what and why."""

    backbone: Literal["auto"] = "auto"
    params: Params = Params()


def _auto_unless_named(choice: Any) -> Any:
    return {"backbone": "auto", **choice} if isinstance(choice, dict) else choice


E5_BYTES = 1536 * 2**20  # frozen layers, pieces, the tokenizer, and copies of these in packaging

Backbone = (
    Mlp
    | Convnet
    | Mobilenet
    | EfficientnetLite0
    | EfficientnetLite1
    | EfficientnetLite2
    | EfficientnetV2B0
    | Tabm
    | FtTransformer
    | Charconv
    | Fusion
    | SentenceEncoder
    | E5Small
    | Imported
)
BackboneChoice = Annotated[
    Annotated[Backbone | AutoBackbone, Field(discriminator="backbone")],
    BeforeValidator(_auto_unless_named),
]


def _of_photos(choice: type[Backbone], told: str) -> BackboneEntry:
    return BackboneEntry(
        choice,
        f"{told}, for photos of 32x32 and more.",
        modality="image",
        has_batch_norm=True,
        is_dense=False,
        program_bytes=768 * 2**20,
        widths=(),
        bfloat16_pays=False,
        compiles_slowly=True,
        recipe=OF_PHOTOS,
    )


CATALOGUE: dict[str, BackboneEntry] = {
    entry.name: entry
    for entry in (
        BackboneEntry(
            Mlp,
            "Dense layers with ReLU on all numbers of an item: a flattened image, a table's row.",
            modality=None,
            has_batch_norm=False,
            is_dense=True,
            program_bytes=256 * 2**20,
            widths=("hidden",),
            bfloat16_pays=False,
            compiles_slowly=False,
        ),
        BackboneEntry(
            Convnet,
            "3x3 convolutions with BatchNorm, ReLU and 2x2 max pooling, then one dense layer.",
            modality="image",
            has_batch_norm=True,
            is_dense=False,
            program_bytes=256 * 2**20,
            widths=("filters", "dense"),
            bfloat16_pays=True,
            compiles_slowly=False,
        ),
        BackboneEntry(
            Mobilenet,
            "MobileNetV2 (Sandler et al., CVPR 2018) from random weights, for images of 32x32 and "
            "more.",
            modality="image",
            has_batch_norm=True,
            is_dense=False,
            program_bytes=768 * 2**20,
            widths=("width",),
            bfloat16_pays=False,
            compiles_slowly=True,
        ),
        _of_photos(EfficientnetLite0, "EfficientNet-Lite0 (Tan & Le, ICML 2019), the smallest"),
        _of_photos(EfficientnetLite1, "EfficientNet-Lite1 (Tan & Le, ICML 2019), deeper"),
        _of_photos(EfficientnetLite2, "EfficientNet-Lite2 (Tan & Le, ICML 2019), deeper and wider"),
        _of_photos(EfficientnetV2B0, "EfficientNetV2-B0 (Tan & Le, ICML 2021)"),
        BackboneEntry(
            Tabm,
            "TabM (Gorishniy et al., ICLR 2025): an MLP that is many, whose members share all "
            "weights but one factor per input, for rows of tables.",
            modality="table",
            has_batch_norm=False,
            is_dense=True,
            program_bytes=256 * 2**20,
            widths=("hidden", "members"),
            bfloat16_pays=False,
            compiles_slowly=False,
            recipe=OF_TABLES,
        ),
        BackboneEntry(
            FtTransformer,
            "FT-Transformer (Gorishniy et al., NeurIPS 2021): the columns of a table's row attend "
            "to each other.",
            modality="table",
            has_batch_norm=False,
            is_dense=False,
            program_bytes=256 * 2**20,
            widths=("width",),
            bfloat16_pays=False,
            compiles_slowly=False,
        ),
        BackboneEntry(
            SentenceEncoder,
            "A frozen encoder of texts in many languages, whose features are computed once, and "
            "dense layers with ReLU on these.",
            modality="text",
            has_batch_norm=False,
            is_dense=True,
            program_bytes=E5_SMALL.memory_bytes,
            widths=("hidden",),
            bfloat16_pays=False,
            compiles_slowly=False,
            recipe=OF_FEATURES,
            encoder=E5_SMALL,
        ),
        BackboneEntry(
            E5Small,
            "multilingual-e5-small (Wang et al., arXiv 2402.05672), whose last layers learn on "
            "from its own weights, source or not; its vocabulary is frozen.",
            modality="text",
            has_batch_norm=False,
            is_dense=False,
            program_bytes=E5_BYTES,
            widths=("trained_layers", "max_tokens"),
            bfloat16_pays=True,
            compiles_slowly=False,
            recipe=OF_BERT,
            encoder=E5_SMALL,
        ),
        BackboneEntry(
            Charconv,
            "Convolutions over the characters of a text of any script (Kim, EMNLP 2014), which are "
            "hashed, then max and mean over the text, and one dense layer.",
            modality="text",
            has_batch_norm=False,
            is_dense=False,
            program_bytes=256 * 2**20,
            widths=("filters", "dense"),
            bfloat16_pays=False,
            compiles_slowly=False,
        ),
        BackboneEntry(
            Imported,
            "A network that came by POST /v1/models: jobs take it from that model as their source.",
            modality="image",
            has_batch_norm=False,  # its parameters say
            is_dense=False,
            program_bytes=768 * 2**20,
            widths=("structure",),
            bfloat16_pays=False,
            compiles_slowly=True,
        ),
        BackboneEntry(
            Fusion,
            "Late fusion: a network for each part of an item, brought to one width, the mean of "
            "the parts that are there, and dense layers (after Tang et al., arXiv:2412.16243).",
            modality="joined",
            has_batch_norm=True,
            is_dense=False,
            program_bytes=512 * 2**20,
            widths=("width", "hidden"),
            bfloat16_pays=False,
            compiles_slowly=False,
            recipe=OF_PARTS,
        ),
    )
}
