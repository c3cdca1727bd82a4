"""Members of a report on models without a network, which had the same items."""

from typing import Literal

from pydantic import Field

from app.spec.figures import ReportPart
from app.spec.intervals import Gain, Interval


class ReferenceArm(ReportPart):
    metrics: dict[str, Interval] = Field(description="on the test items, as of the arms")
    validation: Interval | None = Field(description="the primary metric; null without such items")
    gain: Gain | None = Field(
        description="the winner's over this reference, in the primary metric, paired by seed: "
        "above 0 the winner is the better one. p_holm is corrected for the arms and the references "
        "together"
    )
    seconds: float = Field(description="of fitting and predicting, summed over the trials")


class BestReference(ReportPart):
    name: str
    chosen_by: Literal["validation", "test"] = Field(
        description="`test` where there are too few validation items: in hindsight, which makes it "
        "harder to beat"
    )
    beats_winner: bool = Field(
        description="whether the overall interval of the winner's gain over it lies below 0"
    )
    sentence: str
