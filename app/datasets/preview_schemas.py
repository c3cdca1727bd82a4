"""Stored items as `GET /v1/datasets/{id}/preview` shows them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.datasets.schemas import Split


class Suspected(BaseModel):
    """Reason why an item's label is likely wrong, by the dataset's audit."""

    proposed: str = Field(description="the label that most of its neighbours have")
    score: float = Field(description="above 0, at most 1")


class PreviewItem(BaseModel):
    """One stored item: raw values by the names of its tensors, of which pictures have `image`
    and texts `text`; of a table `row`, an object by the names of its columns."""

    model_config = ConfigDict(extra="allow")

    index: int = Field(description="its place in the split")
    label: str | None = Field(
        description="null in a split without labels, and in one of quantities or of several labels"
    )
    labels: list[str] | None = Field(
        None, description="those of a multi-label item, which may be none; null elsewhere"
    )
    value: float | None = Field(None, description="the quantity, in a regression's unit")
    suspected: Suspected | None = Field(
        None, description="absent where the label is not suspected, or the dataset never audited"
    )
    image: list[list[list[float]]] | None = Field(
        None, description="raw values, [height][width][channels]; absent where items are none"
    )
    text: str | None = Field(
        None,
        description="as it is kept; `…` stands at the end of one that was cut. Absent where items "
        "are no texts",
    )
    parts: dict[str, Any] | None = Field(
        None,
        description="of an item of several parts: the value of each by its name, null where it is "
        "missing; absent where items are one part",
    )
    row: dict[str, float | bool | str | None] | None = Field(
        None,
        description="values by the names of columns, null where one is missing; a category that "
        "training rows do not have is `(other)`; absent where items are no rows",
    )


class PreviewOut(BaseModel):
    dataset: str
    split: Split
    offset: int
    total: int = Field(description="items in the split")
    data: list[PreviewItem] = Field(description="fewer than asked for where items are large")
