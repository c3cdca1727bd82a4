"""Settings of every network, whichever its backbone."""

from pydantic import Field

from app.inputs.features import FeaturesInputs
from app.inputs.stored_encoder import KnownEncoder
from app.sent import Pair
from app.spec.network_params import Params, Width
from app.spec.network_size import Shape, Size


class ModelChoice(Params):
    image_size: Pair[Width] | None = Field(
        None,
        description="height, width: source and target are resized to it inside the network; "
        "null: where their images differ in size, that of a source model, else the largest, at "
        "most 96 a side where others are scaled up to it",
    )
    bottleneck: Width | None = Field(
        None,
        description="a dense layer of so many units with BatchNorm at the backbone's end, as "
        "domain adaptation has it (256)",
    )

    @property
    def encoder(self) -> KnownEncoder | None:
        """The frozen encoder that the network stands on."""
        return None

    @property
    def frozen(self) -> Size | None:
        """Size of a frozen network that is packaged with this one, and whose features are computed
        before it is trained."""
        return None

    @property
    def begins_as(self) -> str | None:
        """Names whose weights every network begins with, a source or none; None: random ones."""
        return None

    @property
    def features(self) -> FeaturesInputs | None:
        """Returns what the network sees instead of a dataset's own items; None: it sees those."""
        return None

    def seen(self, shape: Shape) -> Shape:
        """Shape of the images, of those of `shape`, which the backbone gets."""
        return (*(self.image_size or shape[:2]), shape[2])
