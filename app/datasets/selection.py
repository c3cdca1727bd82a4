"""The part of a dataset that becomes another one: rows, classes or columns."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from app.datasets.table_spec import ColumnInfo, Name, Role, SplitSpec, Value
from app.sent import Array, Count, Sent

MOST_NAMES = 10_000
FEWEST_ROWS = 2

Conditions = Annotated[
    dict[Name, Annotated[Array[Value | None], Field(min_length=1, max_length=MOST_NAMES)]],
    Field(min_length=1, max_length=100),
]


class Selection(Sent):
    """Members of `POST /v1/datasets` beside `from`, each of which narrows: an item is taken where
    all of them take it. What is null narrows nothing."""

    where: Conditions | None = Field(
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
        None,
        description="of a table, or of what pictures came with: those that stay; that of the "
        "labels, that of groups and those that `split` names stay anyway",
    )
    rows: int | None = Field(
        None,
        ge=FEWEST_ROWS,
        lt=2**31,
        description="so many of the training items that are left, drawn at random, in proportion "
        "to their classes (parts of a quantity's range, rarest labels), at least one of each. All "
        "test items stay, so that what is measured on them stays comparable. With `split`: so many "
        "of all items that are left, before they are split",
    )
    seed: Count = Field(0, description="of the draw of `rows`: the same seed draws the same items")
    split: SplitSpec | None = Field(
        None,
        description="how the items that are left are split anew; null: training items stay "
        "training items, and test items stay test items. Where items have no columns: "
        "`test_fraction` and `seed` alone",
    )

    @property
    def is_empty(self) -> bool:
        """Tells whether everything stays as it is."""
        said = (self.where, self.classes, self.columns, self.rows, self.split)
        return all(each is None for each in said)

    def keeps(self, column: ColumnInfo) -> bool:
        """Tells whether a column that holds no labels stays."""
        if self.columns is None or column.role == "group" or column.name in self.columns:
            return True
        return self.split is not None and column.name in self.split.roles

    def role_of(self, column: ColumnInfo) -> Role:
        """The role of a column where items are split anew by it, or by other groups."""
        role = column.role
        if self.split is None or role == "label":
            return role
        if self.split.group is not None and role == "group":
            role = "ignored"
        return self.split.roles.get(column.name, role)

    @model_validator(mode="after")
    def _seed_is_of_rows(self) -> Self:
        if self.seed and self.rows is None:
            raise ValueError("expected `seed` beside `rows`, whose draw it is of, got it alone")
        return self
