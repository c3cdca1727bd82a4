"""Networks for texts that a job can name."""

from typing import Literal

from app.inputs.encoders import E5_SMALL
from app.inputs.features import FeaturesInputs
from app.inputs.stored_encoder import KnownEncoder
from app.spec.e5_params import E5SmallParams
from app.spec.encoder_params import SentenceEncoderParams
from app.spec.model_choice import ModelChoice
from app.spec.text_params import CharconvParams


class SentenceEncoder(ModelChoice):
    backbone: Literal["sentence_encoder"]
    params: SentenceEncoderParams = SentenceEncoderParams()

    @property
    def encoder(self) -> KnownEncoder:
        return self.params.entry

    @property
    def features(self) -> FeaturesInputs:
        return self.params.inputs


class E5Small(ModelChoice):
    backbone: Literal["e5_small"]
    params: E5SmallParams = E5SmallParams()

    @property
    def encoder(self) -> KnownEncoder:
        return self.params.entry

    @property
    def begins_as(self) -> str:
        return E5_SMALL.name

    @property
    def features(self) -> FeaturesInputs:
        return self.params.inputs


class Charconv(ModelChoice):
    backbone: Literal["charconv"]
    params: CharconvParams = CharconvParams()
