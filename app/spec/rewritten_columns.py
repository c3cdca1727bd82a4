"""What the report says of columns that an arm has in the source's rows otherwise than they are.

A pretraining keeps a row of six numbers for each: the index of the source among
the pretraining's, the place of the column among the network's, and then

    scaled: the source's mean and deviation, the target's mean and deviation
    made up: the target's rows with a value, how well it is predicted on held-out ones, how well by
        guessing, and 1 where it was made up, 0 where it was not
"""

from typing import Literal

from pydantic import Field

from app.spec.figures import ReportPart


class ScaledColumn(ReportPart):
    """A number that was brought to the target's scale in the source's rows."""

    arm: str
    name: str
    by: Literal["moments", "quantiles"]
    source_mean: float = Field(description="of training rows, in the source's own scale")
    source_deviation: float
    target_mean: float
    target_deviation: float


class MadeUpColumn(ReportPart):
    """A column that the source lacks, predicted in its rows by what the target's training rows
    tell; no label of theirs is used."""

    arm: str
    name: str
    rows: int = Field(description="of the target's training rows that have a value")
    measure: Literal["r2", "accuracy"]
    quality: float | None = Field(
        description="of predictions for rows that were held out, in turn; null where rows are too "
        "few to hold some out"
    )
    guessing: float | None = Field(
        description="the same of always saying the mean, or the commonest value"
    )
    is_used: bool = Field(
        description="whether it was made up; it was left out where predictions are not clearly "
        "better than guessing"
    )

    @property
    def sentence(self) -> str:
        known = f"{self.rows} of the target's rows"
        if self.quality is None or self.guessing is None:
            return f"`{self.name}` was not made up: {known} tell too little"
        measure = "R2" if self.measure == "r2" else "accuracy"
        how_well = f"{measure} {self.quality:.2f} on rows held out, {self.guessing:.2f} by guessing"
        if self.is_used:
            return f"`{self.name}` was made up in the source's rows from {known}: {how_well}"
        return f"`{self.name}` was not made up, other columns hardly tell it: {how_well}, {known}"
