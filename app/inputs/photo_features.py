"""Features of pictures that a pretrained network gave, which is frozen: what a job's network sees
of a part of its items, and nobody sends."""

from typing import ClassVar, Literal, Self

import numpy as np

from app.errors import invalid
from app.inputs.contract import Sketch, sketched
from app.inputs.dense import DenseInputs
from app.inputs.features import FEATURES
from app.tensors import Tensors


class PhotoFeaturesInputs(DenseInputs):
    """One tensor `features` (dimension,), float32; zeros of a picture that is missing."""

    tensor: ClassVar[str] = FEATURES
    is_stored: ClassVar[bool] = False

    modality: Literal["photo_features"] = "photo_features"
    shape: tuple[int]
    dtype: Literal["float32"] = "float32"
    weights: str  # BACKBONE:WEIGHTS
    digest: str  # of the file that they came in
    size: tuple[int, int]  # height, width: that pictures are shown at

    @classmethod
    def item_shape(cls, shape: tuple[int, ...], name: str) -> tuple[int, ...]:
        detail = f"expected items that are sent, got `{name}`: features are computed of pictures"
        raise invalid("shape_mismatch", detail, "#/spec/modality")

    @property
    def layout(self) -> tuple[int, int, int]:
        return (1, 1, self.shape[0])

    def differences(self, source: Self, resized: tuple[int, int] | None) -> list[str]:
        if source == self:
            return []
        return [f"expected features of {source.weights} as in the source, got {self.weights}'s"]

    def sketch(self, items: Tensors) -> Sketch:
        """Some of them as they are, (min(n, 512), dimension)."""
        rows = sketched(len(items[FEATURES]))
        return np.asarray(items[FEATURES])[rows].astype(np.float32)
