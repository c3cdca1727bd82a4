"""Networks for texts that a job can name."""

from typing import Literal

from app.inputs.features import FeaturesInputs
from app.inputs.stored_encoder import KnownEncoder
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


class Charconv(ModelChoice):
    backbone: Literal["charconv"]
    params: CharconvParams = CharconvParams()
