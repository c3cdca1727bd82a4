"""Means with their intervals, as parts of a report."""

from typing import Literal

from pydantic import Field

from app.spec.figures import ReportPart

Replication = Literal["seeds", "seeds_of_one_pretraining", "pretrainings", "one_network"]
REPLICATION = (
    "what the n values behind the intervals are: `seeds`, each a run of its own; "
    "`seeds_of_one_pretraining`, so that what is said holds for that pretraining; `pretrainings`, "
    "each by the mean of the seeds that share it; `one_network`, which every seed evaluates"
)


class Bounds(ReportPart):
    low: float
    high: float


class Interval(ReportPart):
    """A mean over seeds with its t-interval at the report's confidence, cut at a metric's ends."""

    mean: float
    low: float | None = Field(description="null with one value: its spread is unknown")
    high: float | None
    n: int = Field(
        description="independent values: seeds, or the pretrainings that they share; 1 where all "
        "seeds evaluate one network, which a baseline that trains nothing does"
    )


class Gain(Interval):
    """Amount by which the transfer is better than scratch, paired by seed: mean, t-interval over
    the seeds. Positive is better whatever the metric: where lower is better (mae, rmse) it is
    scratch minus transfer."""

    bootstrap: Bounds = Field(
        description="interval of the gain, averaged over seeds, when test items are drawn anew"
    )
    overall: Bounds | None = Field(
        description="interval for other seeds and other test items at once (crossed random "
        "effects), never shorter than the one over the seeds; the verdict rests on it; null where "
        "n is 1"
    )
    p_value: float | None = Field(
        description="two-sided, of `overall`, that the gain is 0; null where n is 1"
    )
    p_holm: float | None = Field(
        description="the same, corrected for the number of arms compared with scratch (Holm)"
    )
    replication: Replication = Field("seeds", description=REPLICATION)

    @property
    def is_shown(self) -> bool:
        """Tells whether `overall` rules 0 out."""
        return self.overall is not None and (self.overall.low > 0 or self.overall.high < 0)
