"""Rankings as the outside sees them: unlabelled items to label next, and what the order was
worth."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.datasets.schemas import Split
from app.sent import Sent

RankingStatus = Literal["queued", "running", "succeeded", "failed"]
MOST_ITEMS = 1000


class NextLabelsAsked(Sent):
    """`{}` asks for 50 items of the job's target."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": 50}]})

    items: int = Field(50, ge=1, le=MOST_ITEMS, description="how many to choose")
    origin: str | None = Field(
        None,
        alias="from",
        min_length=1,
        max_length=200,
        description="the dataset, by its id or its name, whose items without a label are ranked: "
        "of its training items, and where no test item has a label, of these too. null: the "
        "training items of the job's target whose labels the winner has not seen, those without "
        "one and those beyond the label budget",
    )


class RankingPart(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Guess(RankingPart):
    """Answer of the job's model as it is."""

    label: str | None = Field(None, description="of a classification, the likeliest")
    labels: list[str] | None = Field(None, description="of several labels, those from 0.5 on")
    value: float | None = Field(None, description="of a quantity, in its unit")
    probability: float | None = Field(
        None,
        description="of the label; of several labels, of all of them being as guessed; null for a "
        "quantity",
    )


class ChosenItem(RankingPart):
    split: Split
    index: int = Field(description="its place in the split, from 0")
    identifier: str | None = Field(
        None, description="its value in `identifier_column`; null where it has none"
    )
    score: float = Field(
        description="0 to 1, how much of the candidates this item stands for, given those before "
        "it: the share of them that are in its cluster, or, as `method` says, of their doubt or of "
        "their distance from what is labelled; all scores together are at most 1"
    )
    guess: Guess


class Curve(RankingPart):
    """Curve of one order, at each number of labels: the mean over the draws with its 95 %
    interval."""

    mean: list[float]
    low: list[float]
    high: list[float]


class Worth(RankingPart):
    """A simulation on items whose labels are known, which proves nothing of those that are not: a
    linear probe on frozen features, trained anew at each number of labels, on items in this order
    and in random order, each draw with items of its own held out to measure on."""

    metric: str
    draws: int
    items: int = Field(description="labelled items that the draws are made of")
    features: Literal["start", "winner"] = Field(
        description="of what the winner started from, which had seen none of the labels; or its "
        "own, where it started from nothing, or from a model that was deleted since: they know the "
        "labels already, and tell less"
    )
    labels: list[int] = Field(description="numbers of labels, rising; the first are at random")
    ordered: Curve
    random: Curve
    gain: float = Field(
        description="ordered over random, mean over the numbers of labels but the first and over "
        "the draws; positive is better whatever the metric"
    )
    low: float = Field(description="of the gain's 95 % interval over the draws")
    high: float
    saved: int | None = Field(
        description="labels fewer than random order's last number, at which this order is as good "
        "on the mean; null where it nowhere is"
    )


class Ranked(RankingPart):
    """Ranking as the worker writes it down."""

    method: str
    candidates: int = Field(description="items without a label that there are")
    considered: int = Field(description="of these; of more than 20,000 so many are drawn")
    identifier_column: str | None
    listed: list[ChosenItem]
    worth: Worth | None
    sentence: str


class NextLabelsOut(BaseModel):
    """Items in the order in which to label them."""

    job: str
    dataset: str = Field(description="whose items they are")
    status: RankingStatus
    items: int = Field(description="asked for")
    created_at: datetime
    ended_at: datetime | None
    method: str | None = Field(None, description="how they were chosen; null until it succeeded")
    candidates: int | None = Field(None, description="items without a label that there are")
    considered: int | None = Field(
        None, description="of these; of more than 20,000 so many are drawn"
    )
    identifier_column: str | None = Field(
        None, description="the column whose values name the rows of a table; null: it has none"
    )
    data: list[ChosenItem] = Field(default_factory=list)
    worth: Worth | None = Field(
        None, description="what such an order was worth; null: `sentence` says why it is not known"
    )
    sentence: str | None = Field(None, description="what it was worth, in words")
    error: dict[str, Any] | None = Field(
        None, description="why it failed: {code, message, param, stage}; POST tries again"
    )
