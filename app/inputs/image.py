"""Pictures of one size, as arrays of raw values."""

from typing import Literal, Self, cast

from pydantic import Field

from app.inputs.contract import InputsContract
from app.tensors import Dtype, TensorSpec

UNIT = (0.0, 1.0)
IMAGE = "image"  # the name of the one tensor


class ImageInputs(InputsContract):
    modality: Literal["image"] = "image"
    shape: tuple[int, int, int] = Field(description="height, width, channels")
    dtype: str = Field(description="of the raw values, `uint8` or `float32`")
    value_range: tuple[float, float] | None = Field(
        None,
        description="raw values that become 0 and 1 before the network sees them; null where that "
        "is not known, as in models of earlier releases",
    )

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        return (TensorSpec(IMAGE, cast(Dtype, self.dtype), self.shape),)

    @property
    def summary(self) -> str:
        return "x".join(map(str, self.shape))

    def mismatches(self, source: Self, resized: tuple[int, int] | None) -> list[str]:
        """Why a network for these pictures cannot be one for a source's: a sentence each.

        `resized`: height and width that both are brought to inside the network.
        """
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

    @property
    def range(self) -> tuple[float, float]:
        """`value_range`, or 0 to 1 where it is not known."""
        return self.value_range or UNIT
