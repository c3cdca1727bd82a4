"""The parameters of the backbone `imported`: a structure, read once from an upload."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.errors import Coded, Finding
from app.spec.imported.structure import MOST_TEXT, Structure, read
from app.spec.network_params import NetworkParams
from app.spec.network_size import Layers, Shape


def _readable(text: str) -> str:
    read(text)
    return text


class ImportedParams(NetworkParams):
    structure: Annotated[str, AfterValidator(_readable)] = Field(
        max_length=MOST_TEXT,
        description="of a model of the origin `imported`, as its card has it: a job whose source "
        "is such a model takes it from there",
    )

    @property
    def read(self) -> Structure:
        return read(self.structure)

    @property
    def has_dropout(self) -> bool:
        return self.read.has_dropout

    @property
    def has_batch_norm(self) -> bool:
        return self.read.has_norm

    def multiplications(self, shape: Shape, tokens: int = 1) -> float:
        return self.read.counted.multiplications

    def layers(self, shape: Shape, tokens: int = 1) -> Layers:
        counted = self.read.counted
        layers = Layers(shape)
        layers.counted(
            counted.parameters,
            counted.convolutions,
            counted.kept,
            counted.widest,
            counted.features[0],
        )
        return layers

    def misfit(self, shape: Shape) -> Coded | None:
        wanted = self.read.input
        if shape == wanted:
            return None
        height, width, channels = wanted
        detail = f"expected images of {height}x{width}x{channels} for the imported network, got "
        cure = f"; model.image_size [{height}, {width}] resizes them"
        got = "x".join(map(str, shape))
        return "shape_mismatch", Finding(f"{detail}{got}{cure}", "#/model/image_size")
