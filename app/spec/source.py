"""One source of a job, as it is sent."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.sent import Sent

ColumnName = Annotated[str, Field(max_length=1000)]


Weights = Literal["imagenet"]


def is_stored(reference: str) -> bool:
    """Tells whether what a job's source refers to, by `ds_…` or `mdl_…`, is a row of the database;
    pretrained weights are not."""
    return ":" not in reference


class Source(Sent):
    """Exactly one of `dataset`, `model` and `backbone` with its `weights`."""

    dataset: str | None = Field(None, description="`ds_…`, `catalog:NAME`, or a dataset's name")
    model: str | None = Field(
        None,
        description="`mdl_…`, or a model's name: a trained network of this service, without its "
        "data",
    )
    backbone: Annotated[str, Field(max_length=100)] | None = Field(
        None,
        description="a network of GET /v1/catalog/backbones whose `weights` are known: it comes "
        "without its data, and its classes are none of the target's; `auto`: the first of them "
        "that is for the target's items and whose weights are there",
    )
    weights: Weights | None = Field(
        None, description="of `backbone`: what they were trained on (`imagenet`)"
    )
    columns: dict[ColumnName, ColumnName | None] = Field(
        default_factory=dict,
        max_length=10_000,
        description="of tables: by the name of a column of the target that of the source's column "
        "which is the same; null: none of the source's is it, whatever their names. Columns of "
        "equal names and kinds need no mention",
    )

    part: ColumnName | None = Field(
        None,
        description="where the source's items have several parts and the target's are one of these "
        "alone: the name of that part; null: the only one of the target's modality",
    )

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        given = [each for each in (self.dataset, self.model, self.backbone) if each is not None]
        if len(given) != 1:
            raise ValueError(
                "expected exactly one of `dataset`, `model` and `backbone` with `weights`"
            )
        if (self.backbone is None) != (self.weights is None):
            raise ValueError(
                "expected `backbone` and `weights` together, as in "
                '{"backbone": "efficientnet_lite0", "weights": "imagenet"}'
            )
        return self

    @property
    def reference(self) -> str:
        if self.backbone:
            return f"{self.backbone}:{self.weights}"
        return str(self.dataset or self.model)
