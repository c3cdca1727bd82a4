"""Parameters of networks for rows of tables that a job may say. Pure."""

from itertools import pairwise
from math import prod
from typing import Annotated

from pydantic import Field, model_validator

from app.sent import Array
from app.spec.network_params import NetworkParams, Width
from app.spec.network_size import Layers, Shape


class TabmParams(NetworkParams):
    hidden: Array[Width] = Field((128, 128), min_length=1, max_length=16)
    members: int = Field(
        16, ge=2, le=128, description="networks in one, whose answers are averaged"
    )
    dropout: float = Field(0.0, ge=0, lt=1)

    @property
    def has_dropout(self) -> bool:
        return self.dropout > 0

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        widths = (prod(shape), *self.hidden)
        return float(self.members * sum(one * other for one, other in pairwise(widths)))

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        layers = Layers(shape)
        layers.flatten()
        layers.members(self.members)
        for width in self.hidden:
            layers.dense(width)
            layers.write()
            if self.dropout:
                layers.write()
        layers.scales()
        return layers


HeadWidth = Annotated[int, Field(ge=1, le=64)]


class FtTransformerParams(NetworkParams):
    width: int = Field(64, ge=2, le=4096, description="of each column's token")
    blocks: int = Field(2, ge=1, le=16)
    heads: HeadWidth = Field(8, description="of the attention; they share `width`")
    dropout: float = Field(0.1, ge=0, lt=1, description="of the attention and after each layer")

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> "FtTransformerParams":
        if self.width % self.heads:
            raise ValueError(
                f"expected a width that {self.heads} heads can share, got {self.width}"
            )
        return self

    @property
    def has_dropout(self) -> bool:
        return self.dropout > 0

    @property
    def inner(self) -> int:
        """Width of the hidden layer of each feed-forward network: 4/3, as the paper's for ReGLU."""
        return max(1, 4 * self.width // 3)

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        count, d = tokens + 1, self.width
        block = count * (4 * d * d + 3 * d * self.inner) + 2 * count * count * d
        return float(prod(shape) * d + self.blocks * block)

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        layers = Layers(shape)
        layers.tokens(tokens, self.width)
        for _ in range(self.blocks):
            layers.attention(self.heads)
            layers.gated(self.inner)
        layers.first()
        return layers
