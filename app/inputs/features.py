"""Features that a frozen network gave: what a job's network sees in place of what was sent."""

from typing import ClassVar, Literal, Self

import numpy as np

from app.errors import invalid
from app.inputs.contract import Sketch, sketched
from app.inputs.dense import DenseInputs
from app.tensors import Tensors

FEATURES = "features"  # the name of the one tensor


class ComputedInputs(DenseInputs):
    """One tensor `features` (dimension,), float32, that is computed of what was sent."""

    tensor: ClassVar[str] = FEATURES
    is_stored: ClassVar[bool] = False
    computed_of: ClassVar[str]

    shape: tuple[int]
    dtype: Literal["float32"] = "float32"

    @classmethod
    def item_shape(cls, shape: tuple[int, ...], name: str) -> tuple[int, ...]:
        detail = f"expected items that are sent, got `{name}`: features are computed of "
        raise invalid("shape_mismatch", detail + cls.computed_of, "#/spec/modality")

    @property
    def layout(self) -> tuple[int, int, int]:
        return (1, 1, self.shape[0])

    def sketch(self, items: Tensors) -> Sketch:
        """Some of them as they are, (min(n, 512), dimension)."""
        rows = sketched(len(items[FEATURES]))
        return np.asarray(items[FEATURES])[rows].astype(np.float32)


class FeaturesInputs(ComputedInputs):
    """One tensor `features` (dimension,), float32, centred and of about unit size."""

    computed_of: ClassVar[str] = "texts"

    modality: Literal["features"] = "features"
    encoder: str
    revision: str
    pad_id: int | None = None  # where features are ids of tokens: the one of no token

    def differences(self, source: Self, resized: tuple[int, int] | None) -> list[str]:
        if (source.encoder, source.revision) == (self.encoder, self.revision):
            return []
        return [f"expected features of {source.encoder} as in the source, got {self.encoder}'s"]
