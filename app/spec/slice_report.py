"""Members of a report on parts of the test items: those with one value of a column each."""

from pydantic import Field

from app.spec.figures import ReportPart
from app.spec.intervals import Bounds, Gain, Interval


class SliceArm(ReportPart):
    """One arm on the items of one value."""

    metrics: dict[str, Interval] = Field(
        description="those that these items have: where all their labels are alike, only the "
        "metrics that are a mean over items"
    )
    gain: Gain | None = Field(
        description="over the baseline in the primary metric, paired by seed; `p_holm` is "
        "corrected for all gains of all slices; null for the baseline, and where these items do "
        "not have the primary metric"
    )


class SliceValue(ReportPart):
    """The test items with one value of the column; numbers and dates are cut into quarters."""

    value: str
    items: int
    arms: dict[str, SliceArm]
    references: dict[str, SliceArm] = Field(
        default_factory=dict,
        description="the models without a network; `gain` is the winner's over each of them",
    )


class WorstSlice(ReportPart):
    """Value where the winner, or without one the baseline, has its worst mean of the primary
    metric."""

    value: str
    items: int
    arm: str
    mean: float = Field(description="the primary metric of these items, mean over the seeds")
    rest: float = Field(description="the same of all other test items")
    difference: Bounds = Field(
        description="interval of `mean` minus `rest` for other items and seeds (Welch), at the "
        "report's confidence corrected for the number of values (Bonferroni), as the worst of "
        "several is named"
    )
    is_clear: bool = Field(description="whether all of that interval is on the worse side of 0")


class Slice(ReportPart):
    """All that is said by one column of `evaluation.slices`."""

    column: str
    values: list[SliceValue] = Field(description="with 20 test items or more, the commonest first")
    too_few: dict[str, int] = Field(
        description="test items of each value that has fewer than 20; together, and with those of "
        "all values but the 20 commonest, they are `(other)` where they are 20 or more, else "
        "nothing is measured of them"
    )
    worst: WorstSlice | None = Field(description="null where there are not two values to compare")
    sentence: str
