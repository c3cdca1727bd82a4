"""What of multilingual-e5-small as a network that learns may be said. Pure."""

from typing import Literal

from pydantic import Field

from app.errors import Coded, Finding
from app.inputs.encoders import EncoderEntry, cutter_of
from app.inputs.features import FeaturesInputs
from app.spec.network_params import NetworkParams
from app.spec.network_size import Layers, Shape

WIDTH, INNER, HEADS, LAYERS = 384, 1536, 12, 12
PAD = 1  # the id of no token
OF_LAYER = 4 * (WIDTH + 1) * WIDTH + (WIDTH + 1) * INNER + (INNER + 1) * WIDTH + 4 * WIDTH
# Values that a layer keeps of each token for its gradients: about 14 of the width, 5 of the inner
KEPT_OF_WIDTH, KEPT_OF_INNER, KEPT_OF_PAIR = 14, 5, 3  # and 3 of each pair of tokens and head


class E5SmallParams(NetworkParams):
    max_tokens: Literal[32, 64, 128, 256] = Field(
        64, description="more of a text are cut; a step costs as much as all texts were so long"
    )
    depth: int = Field(
        LAYERS,
        ge=1,
        le=LAYERS,
        description="the first so many of the 12 layers; fewer are quicker and know less",
    )
    trained_layers: int = Field(
        4, ge=1, le=LAYERS, description="the last of them, which learn; pieces never do"
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="of the features")

    @property
    def has_dropout(self) -> bool:
        return self.dropout > 0

    @property
    def entry(self) -> EncoderEntry:
        """Returns the encoder that cuts texts into tokens."""
        return cutter_of(self.max_tokens)

    @property
    def inputs(self) -> FeaturesInputs:
        """Returns what the network sees: a text's tokens."""
        cutter = self.entry
        return FeaturesInputs(
            shape=(self.max_tokens,), encoder=cutter.name, revision=cutter.revision, pad_id=PAD
        )

    def misfit(self, shape: Shape) -> Coded | None:
        if self.trained_layers <= self.depth:
            return None
        detail = f"expected at most {self.depth} layers that learn, as many as there are"
        pointer = "#/model/params/trained_layers"
        return "too_many_layers", Finding(f"{detail}, got {self.trained_layers}", pointer)

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        """Counts as if all layers learnt, where a step is thrice the way forth: those that do not
        learn cost a third."""
        attended = 2 * self.max_tokens * WIDTH
        layers = (self.depth + 2 * self.trained_layers) / 3
        return float(self.max_tokens * layers * (OF_LAYER + attended))

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        """Counts weights and activations of the layers that learn; what is frozen, the table of
        pieces too, is in the entry's `program_bytes`."""
        layers = Layers(shape)
        pairs = HEADS * self.max_tokens
        kept = KEPT_OF_WIDTH * WIDTH + KEPT_OF_INNER * INNER + KEPT_OF_PAIR * pairs
        layers.whole(
            parameters=self.trained_layers * OF_LAYER,
            convolutions=0,
            kept=self.max_tokens * (self.trained_layers * kept + KEPT_OF_WIDTH * WIDTH),
            widest=self.max_tokens * (2 * INNER + 2 * pairs),
            features=WIDTH,
        )
        if self.dropout:
            layers.write()
        return layers
