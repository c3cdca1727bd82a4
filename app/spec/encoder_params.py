"""Parameters of networks on a frozen encoder's features that a job may say. Pure."""

from pydantic import Field

from app.errors import Coded, Finding
from app.inputs.encoders import E5_SMALL, ENCODERS
from app.inputs.features import FeaturesInputs
from app.inputs.stored_encoder import KnownEncoder, StoredEncoder
from app.spec.network_params import MlpParams
from app.spec.network_size import Shape


class SentenceEncoderParams(MlpParams):
    """Dense layers with ReLU on the encoder's features."""

    encoder: str = Field(
        E5_SMALL.name,
        max_length=200,
        description=f"one of {', '.join(ENCODERS)}; or one that came by POST /v1/models, by its "
        "model's name or id, or by `hf:ORG/NAME@REVISION`; it stays frozen",
    )
    stored: StoredEncoder | None = Field(
        None,
        description="facts of an encoder that came by POST /v1/models, filled in when the job is "
        "accepted, whatever was sent",
    )

    dropout: float = Field(0.5, ge=0, lt=1)

    @property
    def entry(self) -> KnownEncoder:
        return self.stored or ENCODERS[self.encoder]

    @property
    def inputs(self) -> FeaturesInputs:
        """Returns what the network sees."""
        entry = self.entry
        return FeaturesInputs(shape=(entry.dimension,), encoder=entry.name, revision=entry.revision)

    def misfit(self, shape: Shape) -> Coded | None:
        if self.stored or self.encoder in ENCODERS:
            return None
        detail = (
            f"expected an encoder, one of {', '.join(ENCODERS)}, or the name or id of one that "
            "came by POST /v1/models, got another name"
        )
        return "unknown_encoder", Finding(detail, "#/model/params/encoder")
