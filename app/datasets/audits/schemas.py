"""Findings of an audit: labels that are likely wrong."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.datasets.schemas import Split
from app.sent import Sent

AuditStatus = Literal["queued", "running", "succeeded", "failed"]

MOST_SUSPECTS = 10_000  # that are kept of one audit, the likeliest
METHOD = (
    "each item's 10 nearest neighbours, training and test items alike, say what its label may be; "
    "how many labels of a class are wrong is estimated by confident learning (Northcutt et al., "
    "JAIR 2021). Nothing is trained"
)


class AuditAsked(Sent):
    """`{}`, like no body at all, compares items as they are."""

    features: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="a model, by its id or its name, of a job or imported, by whose features "
        "pictures are compared: best one that has learnt others; one that has learnt these very "
        "labels agrees with the wrong ones too. null: pictures are compared by their pixels",
    )


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Suspect(Frozen):
    """An item whose label is likely wrong."""

    split: Split
    index: int = Field(description="its place in the split")
    label: str
    proposed: str = Field(description="what most of its neighbours are")
    score: float = Field(
        description="0.2 to 1: by how much more of its neighbours' votes the proposed "
        "label has than its own"
    )


class AuditedClass(Frozen):
    label: str
    items: int = Field(description="with this label, in both splits")
    suspects: int
    is_judged: bool = Field(
        description="false where it has too few items for their neighbours to be of it: none of "
        "them is suspected"
    )


class AuditResult(Frozen):
    """Result of an audit as the worker writes it down."""

    items: int = Field(description="with labels, in both splits")
    suspects: int = Field(description="of all; the list holds the 10,000 likeliest")
    classes: list[AuditedClass] = Field(description="the first 1,000")
    listed: list[Suspect] = Field(description="the likeliest first")


class AuditOut(BaseModel):
    """Suspects are to be looked at, not to be believed: a rare item looks like a wrong one."""

    dataset: str
    status: AuditStatus
    created_at: datetime
    ended_at: datetime | None
    method: str = METHOD
    features: str | None = Field(
        None, description="the model by whose features items were compared; null: as they are"
    )
    items: int | None = Field(None, description="with labels; null until it has succeeded")
    suspects: int | None = Field(None, description="how many there are in all")
    classes: list[AuditedClass] = Field(default_factory=list)
    offset: int
    data: list[Suspect] = Field(
        default_factory=list, description="from `offset` on, likeliest first"
    )
    error: dict[str, Any] | None = Field(
        None, description="why it failed: {code, message, param, stage}; POST tries again"
    )
