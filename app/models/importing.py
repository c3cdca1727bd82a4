"""The description of a network that was trained elsewhere: the `spec` part of POST /v1/models."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from app.inputs.image import CHANNELS, PIXEL_LIMIT
from app.sent import Array, Pair, Sent

KERAS, ONNX = ".keras", ".onnx"  # how files are called

LARGEST = 1e12  # by which values are scaled, and which is added
Bound = Annotated[float, Field(strict=False, ge=-LARGEST, le=LARGEST)]
Side = Annotated[int, Field(ge=1, le=4096)]
Deviation = Annotated[float, Field(strict=False, ge=1e-6, le=1e6)]
ClassName = Annotated[str, Field(min_length=1, max_length=200)]
MOST_CLASSES = 100_000
NARROWEST = 1e-12


def _wide(span: tuple[float, float]) -> tuple[float, float]:
    if span[1] - span[0] < NARROWEST:
        raise ValueError("expected a low and a higher value")
    if span[1] - span[0] > LARGEST:
        raise ValueError(f"expected at most {LARGEST:g} from the low to the high value")
    return span


def _of_0_to_1(mean: float) -> float:
    if not 0 <= mean <= 1:
        raise ValueError(
            "expected the mean of values 0..1, as 0.485: where it is one of values 0..255, divide "
            "it by 255, and `std` too"
        )
    return mean


PerChannel = Annotated[
    Array[Annotated[Bound, AfterValidator(_of_0_to_1)]],
    Field(min_length=1, max_length=max(CHANNELS)),
]
Span = Annotated[Pair[Bound], AfterValidator(_wide)]


class Standardised(Sent):
    """Values 0..1, less `mean`, over `std`: of each channel, or one for all."""

    mean: PerChannel
    std: Annotated[Array[Deviation], Field(min_length=1, max_length=max(CHANNELS))]


class ImportedInputs(Sent):
    modality: Literal["image"] = "image"
    shape: Annotated[Array[Side], Field(min_length=3, max_length=3)] | None = Field(
        None,
        description="height, width, channels of a picture; null: as the file says, where it does. "
        "A network that takes a plane (height, width) or a row of all values gets them so",
    )
    value_range: Span = Field(
        (0.0, 255.0), description="the least and the greatest raw value that clients send"
    )
    expects: Span | Standardised = Field(
        description="what the network was trained on, which no file says: [low, high], what the "
        "two ends of `value_range` become before its first layer ([0, 255] where it has a "
        "Rescaling of its own, [0, 1], [-1, 1]); or {mean, std} by channel, of values 0..1"
    )

    @model_validator(mode="after")
    def _is_a_picture(self) -> Self:
        if self.shape is None:
            return self
        height, width, channels = self.shape
        if channels not in CHANNELS or height * width * channels > PIXEL_LIMIT:
            raise ValueError(
                f"expected 1, 3 or 4 channels, last, and at most {PIXEL_LIMIT} values in `shape`"
            )
        return self


class ImportSpec(Sent):
    """Rules for reading an uploaded network."""

    name: str = Field(min_length=1, max_length=200)
    inputs: ImportedInputs
    classes: Annotated[Array[ClassName], Field(min_length=2, max_length=MOST_CLASSES)] | None = (
        Field(None, description="names in the order of the network's outputs; null: see `head`")
    )
    head: Literal["read", "drop", "none"] = Field(
        "read",
        description="`read`: the last dense layer gives the classes. Without `classes`: `drop` "
        "leaves that layer off, `none`: what the network gives are features already, of pictures "
        "their mean over height and width",
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.classes is None) == (self.head == "read"):
            raise ValueError(
                "expected `classes` with the head `read`, and none with `drop` or `none`"
            )
        if self.classes and len(set(self.classes)) != len(self.classes):
            raise ValueError("expected each class once in `classes`")
        return self
