"""Features of pictures that a pretrained network gave, which is frozen: what a job's network sees
of a part of its items, and nobody sends."""

from typing import ClassVar, Literal, Self

from app.inputs.features import ComputedInputs


class PhotoFeaturesInputs(ComputedInputs):
    """One tensor `features` (dimension,), float32; zeros of a picture that is missing."""

    computed_of: ClassVar[str] = "pictures"

    modality: Literal["photo_features"] = "photo_features"
    weights: str  # BACKBONE:WEIGHTS
    digest: str  # of the file that they came in
    size: tuple[int, int]  # height, width: that pictures are shown at

    def differences(self, source: Self, resized: tuple[int, int] | None) -> list[str]:
        if source == self:
            return []
        return [f"expected features of {source.weights} as in the source, got {self.weights}'s"]
