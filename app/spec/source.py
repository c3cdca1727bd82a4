"""One source of a job, as it is sent."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from app.sent import Sent

ColumnName = Annotated[str, Field(max_length=1000)]


class Source(Sent):
    """Exactly one of `dataset` and `model`."""

    dataset: str | None = Field(None, description="`ds_…` or `catalog:NAME`")
    model: str | None = Field(
        None, description="`mdl_…`: a trained network of this service, without its data"
    )
    columns: dict[ColumnName, ColumnName | None] = Field(
        default_factory=dict,
        max_length=10_000,
        description="of tables: by the name of a column of the target that of the source's column "
        "which is the same; null: none of the source's is it, whatever their names. Columns of "
        "equal names and kinds need no mention",
    )

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.dataset is None) == (self.model is None):
            raise ValueError("expected exactly one of `dataset` and `model`")
        return self

    @property
    def reference(self) -> str:
        return str(self.dataset or self.model)
