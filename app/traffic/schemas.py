"""Traffic of a deployment as the outside sees it."""

from typing import Literal

from pydantic import BaseModel, Field

from app.traffic.counts import FIRST_ITEMS
from app.traffic.drift import FEWEST, Standing
from app.traffic.windows import WindowName

Origin = Literal["test", "first_answers", "current"]
Role = Literal["current", "canary", "earlier"]


class AnswerShare(BaseModel):
    """A class; of several labels at once the likeliest, or none; of a quantity a range of it."""

    answer: str
    share: float
    reference_share: float | None = None


class DriftOut(BaseModel):
    """Answers of a window, held against those that the model is known by."""

    standing: Literal[Standing, "no_reference"] = Field(
        description=f"`drifted`: further off than chance explains; `too_few`: fewer than {FEWEST} "
        "answers on one side, of which nothing is said; `no_reference`: there is nothing to hold "
        "them against yet"
    )
    distance: float | None = Field(
        None,
        description="total variation, 0 to 1: so large a share of the answers would have to be "
        "others for the two to agree",
    )
    limit: float | None = Field(
        None,
        description="the distance that so many answers exceed by chance once in 1,000 looks at "
        "most, and 0.1 at least",
    )
    items: int = Field(description="answers that were looked at: one request in many, under load")
    reference: Origin | None = Field(
        None,
        description="`current`: the current model's, of the same time; "
        "`test`: the model's answers on the items that it was tested on; "
        f"`first_answers`: its first {FIRST_ITEMS} or so under this name, of a model whose answers "
        "on a test are not known",
    )
    reference_items: int = 0
    confidence: float | None = Field(None, description="mean of the largest probabilities")
    reference_confidence: float | None = None
    confidence_standing: Literal[Standing, "no_reference"] = "no_reference"
    sentence: str


class DoubtedInputs(BaseModel):
    code: str = Field(description="of the warning that such requests are answered with")
    requests: int
    share: float = Field(description="of the answered requests")


class TrafficWindow(BaseModel):
    window: WindowName
    seconds: int
    requests: int
    requests_per_second: float
    items: int = Field(description="that the model answered")
    errors: dict[str, int] = Field(description="requests without an answer, by status")
    p50_seconds: float | None = Field(description="half of the answers came within, to 5 %")
    p99_seconds: float | None
    doubts: list[DoubtedInputs] = Field(description="what is odd about the inputs, the most first")
    answers: list[AnswerShare] = Field(
        description="those that differ most from the reference first, no more than 20"
    )
    answers_left_off: int = 0
    drift: DriftOut


class ModelTraffic(BaseModel):
    model: str
    model_name: str
    role: Role
    version: int | None = Field(description="the deployment's newest that points to it")
    windows: list[TrafficWindow]


class DeploymentTraffic(BaseModel):
    """Counts of all processes of the API, a few seconds old. Requests that are refused before it is
    known which model they ask, as those of a wrong key, are not among them."""

    name: str
    canary: DriftOut | None = Field(
        None, description="the canary's answers of the last day, held against the current model's"
    )
    models: list[ModelTraffic] = Field(
        description="the current one first, then those that have answered within the last day"
    )
