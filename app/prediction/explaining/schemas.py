"""Bodies of explanations."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.prediction.schemas import LabelSet, Prediction, PredictionWarning, Quantity
from app.sent import Sent

NOTE = (
    "A contribution is how much higher the answer is than without that part: above 0 it speaks "
    "for `output`, below 0 against it. It says how this model's answer changes, not why, and "
    "nothing of causes in the world. One part goes at a time: what parts do together is not seen."
)
CHANGE = "of the answer, by the part that is taken away"


class ExplainIn(Sent):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"inputs": [[[0, 255], [255, 0]]]},
                {"inputs": [{"age": 63, "sex": "male", "cholesterol": None}], "output": "ill"},
                {"inputs": ["a friendly place, and quick"]},
            ],
        },
    )

    inputs: list[Any] = Field(
        min_length=1,
        max_length=1,
        description="one raw item, as predictions take it in JSON; a picture also as "
        '{"b64": …}, a file',
    )
    output: str | None = Field(
        None,
        description="the class or label whose score is explained; else the one that is answered, "
        "of a multi-label classification the one of the best score",
    )


class PictureContributions(BaseModel):
    """A grid over the picture, as the model sees it: each cell's number is the change by a patch
    around it."""

    kind: Literal["image"] = "image"
    cell: tuple[int, int] = Field(description="height and width of a cell, in pixels")
    patch: tuple[int, int] = Field(
        description="height and width of what is painted over, in pixels, with the cell in its "
        "middle: a cell or three, less at the picture's edges"
    )
    filling: Literal["border", "mean"] = Field(
        description="what is painted: `border`, the picture's own border where that is of one "
        "colour, as paper; else `mean`, its mean colour"
    )
    colour: list[float] = Field(description="that is painted, a raw value per channel")
    contributions: list[list[float | None]] = Field(
        description=f"rows of cells from the top, each from the left: {CHANGE}"
    )


class ColumnContribution(BaseModel):
    columns: list[str] = Field(
        description="one; of a table of more than 255 known values, neighbours together"
    )
    values: list[Any] = Field(description="of these columns, as the model takes them")
    instead: list[list[Any]] = Field(
        description="what they were replaced by, one after the other: null, missing, where "
        "training rows lack some of a column's values too; else values that training rows have"
    )
    contribution: float | None = Field(None, description=CHANGE)


class TableContributions(BaseModel):
    """A value is taken away by making it missing, as null does, where training rows lack some of
    its column's values too: the model has learnt what that means. Where none did, it is compared
    with values of training rows, up to eight that cut them into about equal shares, or the
    commonest categories: its contribution is the mean of these changes."""

    kind: Literal["table"] = "table"
    columns: list[ColumnContribution] = Field(description="those that have a value, in their order")
    missing: list[str] = Field(description="columns without a value: there is nothing to take away")


class PieceContribution(BaseModel):
    start: int = Field(description="in the text as it was sent, in code points from 0")
    end: int = Field(description="behind the last, in the same way")
    text: str
    contribution: float | None = Field(None, description=CHANGE)


class TextContributions(BaseModel):
    """Pieces are words, which stand between white space, and each character of Chinese and
    Japanese; of a text of more pieces than are taken away, so many neighbours together that they
    are. What the model does not look at of a long text is in no piece."""

    kind: Literal["text"] = "text"
    pieces: list[PieceContribution] = Field(description="in their order")


class PartContribution(BaseModel):
    part: str
    contribution: float | None = Field(
        None, description=f"{CHANGE}; absent where the item has no other part"
    )
    within: Annotated[
        PictureContributions | TableContributions | TextContributions, Field(discriminator="kind")
    ] = Field(description="the part's own parts, beside the whole other ones")


class JoinedContributions(BaseModel):
    kind: Literal["joined"] = "joined"
    parts: list[PartContribution] = Field(description="those that the item has")


OfPart = PictureContributions | TableContributions | TextContributions
Contributions = OfPart | JoinedContributions


class Explanation(BaseModel):
    deployment: str
    model: str = Field(description="the model that answered")
    calibrated: bool = Field(description="as in predictions")
    temperature: float
    warnings: list[PredictionWarning] | None = Field(
        None, description="as in predictions; absent where there are none"
    )
    prediction: Prediction | LabelSet | Quantity = Field(
        description="the answer to the item, as predict gives it"
    )
    output: str = Field(description="what is explained: a class, a label or the quantity")
    answer: float = Field(description="its score, or the quantity, of the whole item")
    unit: str = Field(description="of the quantity, and so of contributions; empty for scores")
    rows: int = Field(description="items that were predicted for it")
    contributions: Annotated[Contributions, Field(discriminator="kind")]
    note: str = Field(NOTE, description="how far this may be believed")
