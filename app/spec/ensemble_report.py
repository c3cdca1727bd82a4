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
            f"It takes {_size(self.bytes)} and {self.milliseconds:.3g} ms per prediction where one "
            f"of its networks takes {_size(self.single_bytes)} and "
            f"{self.single_milliseconds:.3g} ms"
        )


class EnsembleReport(ReportPart):
    kind: Literal["average"]
    arm: str = Field(description="whose seeds are averaged: that which is packaged")
    seeds: list[int]
    metrics: dict[str, float] = Field(
        description="of the ensemble on the test items; empty where these have no labels"
    )
    single_seed: int = Field(description="which would be served alone: best on validation")
    over_mean: EnsembleGain | None = Field(
        description="over the mean of the seeds; null where the test items have no labels"
    )
    over_single: EnsembleGain | None = Field(description="over `single_seed`")
    cost: EnsembleCost | None = Field(None, description="null where no model was packaged")
    sentence: str


def _size(count: int) -> str:
    return f"{count / 2**20:.3g} MiB" if count >= 2**20 else f"{count / 2**10:.3g} KiB"
