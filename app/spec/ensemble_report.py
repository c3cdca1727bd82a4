"""What averaging an arm's seeds brings and costs, as a report says it."""

from typing import Literal

from pydantic import Field

from app.spec.figures import ReportPart
from app.spec.intervals import Bounds


class EnsembleGain(Bounds):
    """Improvement by the ensemble in the primary metric, on the same test items, with its interval
    when these are drawn anew: of these networks."""

    mean: float


class EnsembleCost(ReportPart):
    """Measured where the model was packaged: of the graph as it is served, and of one seed's."""

    bytes: int
    single_bytes: int
    milliseconds: float = Field(description="of one item's prediction, the quickest of some, alone")
    single_milliseconds: float

    @property
    def sentence(self) -> str:
        return (
            f"The mean takes {_size(self.bytes)} and {self.milliseconds:.3g} ms per prediction "
            f"where one network takes {_size(self.single_bytes)} and "
            f"{self.single_milliseconds:.3g} ms"
        )


class DistilledReport(ReportPart):
    """Facts of the one network that has learnt the mean of the seeds: trained where the model was
    packaged, and looked at on the same test items."""

    items: int = Field(description="training items that it learnt on, without their labels")
    seconds: float = Field(description="of its training")
    metrics: dict[str, float] = Field(description="empty where the test items have no labels")
    over_mean: EnsembleGain | None = Field(
        description="over the mean of the seeds, as of `ensemble`; null without labels"
    )
    over_single: EnsembleGain | None = Field(description="over `single_seed`: over `none`")
    over_average: EnsembleGain | None = Field(description="over the mean of their answers")
    sentence: str


class EnsembleReport(ReportPart):
    kind: Literal["average", "distill"]
    arm: str = Field(description="whose seeds are averaged: that which is packaged")
    seeds: list[int]
    metrics: dict[str, float] = Field(
        description="of the mean of the seeds' answers on the test items, whether it is packaged "
        "or learnt; empty where these have no labels"
    )
    single_seed: int = Field(description="which would be served alone: best on validation")
    over_mean: EnsembleGain | None = Field(
        description="over the mean of the seeds; null where the test items have no labels"
    )
    over_single: EnsembleGain | None = Field(description="over `single_seed`")
    cost: EnsembleCost | None = Field(None, description="null where no model was packaged")
    distilled: DistilledReport | None = Field(
        None, description="null unless `kind` is `distill`, and where no model was packaged"
    )
    sentence: str


def _size(count: int) -> str:
    return f"{count / 2**20:.3g} MiB" if count >= 2**20 else f"{count / 2**10:.3g} KiB"
