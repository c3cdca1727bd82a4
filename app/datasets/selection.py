"""What of a dataset becomes another one: rows, classes or columns."""

from typing import Annotated

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from app.sent import Array, Count, Sent

Name = Annotated[str, Field(min_length=1, max_length=200)]
Value = StrictStr | StrictBool | StrictInt | StrictFloat | None
MOST_NAMES = 10_000
FEWEST_ROWS = 2


class Selection(Sent):
    """Members of `POST /v1/datasets` beside `from`, each of which narrows: an item is taken where
    all of them take it. What is null narrows nothing."""

    where: (
        dict[Name, Annotated[Array[Value], Field(min_length=1, max_length=MOST_NAMES)]] | None
    ) = Field(
        None,
        description="the items, of both splits, that have one of these values in each of these "
        "columns; null among them is a missing one. Columns stay as they are",
    )
    classes: Annotated[Array[Name], Field(min_length=2, max_length=MOST_NAMES)] | None = Field(
        None,
        description="the items, of both splits, of these classes, which keep the order that they "
        "have in the origin; items without a label are left out. Of several labels per item: these "
        "labels, of all items",
    )
    columns: Annotated[Array[Name], Field(min_length=1, max_length=MOST_NAMES)] | None = Field(
        None, description="of a table: those that stay; that of the labels stays anyway"
    )
    rows: int | None = Field(
        None,
        ge=FEWEST_ROWS,
        lt=2**31,
        description="so many of the training items that are left, drawn at random, in proportion "
        "to their classes (parts of a quantity's range, rarest labels), at least one of each. All "
        "test items stay, so that what is measured on them stays comparable",
    )
    seed: Count = Field(0, description="of the draw of `rows`: the same seed draws the same items")

    @property
    def is_empty(self) -> bool:
        """Whether everything stays."""
        return all(each is None for each in (self.where, self.classes, self.columns, self.rows))
