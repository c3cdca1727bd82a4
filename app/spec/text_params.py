"""Parameters of networks for texts that a job may say. Pure."""

from typing import Annotated

from pydantic import Field

from app.sent import Array
from app.spec.network_params import NetworkParams, Width
from app.spec.network_size import Layers, Shape

PRIMES = (4093, 4099)  # rows of the two tables of hashed characters
NgramWidth = Annotated[int, Field(ge=1, le=16)]


class CharconvParams(NetworkParams):
    embedding: int = Field(32, ge=2, le=1024, description="numbers of each character")
    widths: Array[NgramWidth] = Field(
        (2, 3, 4, 5), min_length=1, max_length=8, description="characters that a filter spans"
    )
    filters: Width = Field(64, description="of each width")
    dense: Width = 128
    dropout: float = Field(0.3, ge=0, lt=1)

    @property
    def has_dropout(self) -> bool:
        return self.dropout > 0

    @property
    def pooled(self) -> int:
        """Numbers of a text before the dense layer."""
        return 2 * len(self.widths) * self.filters

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        convolved = shape[1] * sum(self.widths) * self.embedding * self.filters
        return float(convolved + self.pooled * self.dense)

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        layers = Layers(shape)
        layers.lookups(PRIMES, self.embedding)
        layers.ngrams(self.widths, self.filters)
        if self.dropout:
            layers.write()
        layers.dense(self.dense)
        layers.write()
        return layers
