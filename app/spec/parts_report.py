"""Members of a report on items of several parts: what each says, and what is lost without it."""

from pydantic import Field

from app.spec.figures import ReportPart
from app.spec.intervals import Interval


class PartFigures(ReportPart):
    """One part of the test items, by the network of an arm that looks at all of them."""

    missing: int = Field(description="test items that lack it anyway")
    alone: Interval = Field(
        description="the primary metric with all other parts hidden. The network has learnt to do "
        "without them as far as `training.hidden_parts` has it; what a network that is trained on "
        "this part alone would reach, a job with `model.params.parts` says"
    )
    without: Interval = Field(description="the same with this part hidden and no other")
    lost: Interval = Field(
        description="what is lost without it, paired by seed: above 0, the part helps"
    )


class ArmParts(ReportPart):
    """One arm, on all test items."""

    whole: Interval = Field(description="the primary metric with all parts that items have")
    parts: dict[str, PartFigures]
    sentence: str
