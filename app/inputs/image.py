"""Pictures of one size, as arrays of raw values."""

from math import isqrt
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.errors import Invalid
from app.inputs.contract import Sketch, sketched
from app.inputs.dense import DenseInputs
from app.inputs.mapped import let_go
from app.tensors import Tensors

IMAGE = "image"  # the name of the one tensor
CHANNELS = (1, 3, 4)
PIXEL_LIMIT = 2**24  # values in one picture
SKETCH_SIDE = 8


class ImageInputs(DenseInputs):
    tensor: ClassVar[str] = IMAGE

    modality: Literal["image"] = "image"
    shape: tuple[int, int, int] = Field(description="height, width, channels")

    @classmethod
    def item_shape(cls, shape: tuple[int, ...], name: str) -> tuple[int, ...]:
        found = (*shape[1:], 1) if len(shape) == 3 else shape[1:]
        if len(found) != 3 or found[2] not in CHANNELS or not all(found):
            detail = (
                f"expected images of the shape (items, height, width) or (items, height, width, "
                f"channels) with 1, 3 or 4 channels in {name}, got {shape}{_cure(shape, name)}"
            )
            raise Invalid("shape_mismatch", detail)
        values = int(np.prod(found, dtype=object))
        if values > PIXEL_LIMIT:
            detail = f"expected at most {PIXEL_LIMIT} values an image in {name}, got {values}"
            raise Invalid("too_large", detail)
        return found

    @property
    def layout(self) -> tuple[int, int, int]:
        return self.shape

    @property
    def sides(self) -> tuple[int, int]:
        return self.shape[:2]

    def differences(self, source: Self, resized: tuple[int, int] | None) -> list[str]:
        found = []
        if source.shape[2] != self.shape[2]:
            found.append(
                f"expected images with {source.shape[2]} channels as in the source, "
                f"got {self.shape[2]} channels"
            )
        if resized is None and source.shape[:2] != self.shape[:2]:
            found.append(
                f"expected images of {source.summary} as in the source, got {self.summary}; "
                "set model.image_size to resize both"
            )
        return found

    def sketch(self, items: Tensors) -> Sketch:
        """Some pictures as 8 × 8 means over their area and channels: (min(n, 512), 64)."""
        images = items[IMAGE]
        (low, high), rows = self.range, sketched(len(images))
        down, across = _areas(self.shape[0]), _areas(self.shape[1]).T
        drawn = np.empty((len(rows), SKETCH_SIDE, SKETCH_SIDE))
        for place, row in enumerate(rows):  # one at a time: pictures may be large
            drawn[place] = down @ images[row].mean(axis=2, dtype=np.float64) @ across
            let_go(images)
        return ((drawn - low) / (high - low)).astype(np.float32).reshape(len(rows), -1)


def _areas(length: int) -> NDArray[np.float64]:
    """(8, length): the pixels' shares in each of 8 equal stretches of a line; rows sum to 1."""
    edges = np.arange(SKETCH_SIDE + 1) * (length / SKETCH_SIDE)
    pixels = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares: NDArray[np.float64] = np.maximum(overlap, 0) * (SKETCH_SIDE / length)
    return shares


def _cure(shape: tuple[int, ...], name: str) -> str:
    """What makes images of an array of that shape, where that can be told."""
    if len(shape) == 4 and shape[1] in CHANNELS:
        return f"; move the channels to the last axis: {name}.transpose(0, 2, 3, 1)"
    if len(shape) == 1:
        labels = name.replace("x", "y", 1)
        return f"; one dimension is what labels have: are {name} and {labels} swapped?"
    if len(shape) == 2:
        for channels in CHANNELS:
            side = isqrt(shape[1] // channels)
            if side and side * side * channels == shape[1]:
                sizes = (side, side) if channels == 1 else (side, side, channels)
                return f"; if they are square, {name}.reshape{(-1, *sizes)} gives them their sides"
    return ""
