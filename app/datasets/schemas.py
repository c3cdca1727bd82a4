"""A dataset as the outside sees it, and the schema that jobs are checked against."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, field_validator, model_validator

from app.datasets.selection import Selection
from app.datasets.table_spec import ColumnInfo, TableSpec
from app.inputs import Inputs, Modality
from app.inputs.image import CHANNELS, PIXEL_LIMIT
from app.inputs.text import MOST_CHARACTERS
from app.sent import Pair
from app.tasks import Task, TaskKind

Split = Literal["train", "test"]
DatasetStatus = Literal["ingesting", "ready", "failed", "damaged"]
MissingLabel = StrictInt | Annotated[str, Field(max_length=200)] | None
LISTED_CLASSES = 100
LISTED_COLUMNS = 100
NARROWEST_RANGE = 1e-12
Side = Annotated[int, Field(ge=1, le=4096)]
IMAGE_AREA = PIXEL_LIMIT // max(CHANNELS)
Bound = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]


class Schema(BaseModel):
    """A stored dataset: what its items are, what is asked of them, and how many there are."""

    model_config = ConfigDict(frozen=True)

    inputs: Inputs
    task: Task
    splits: dict[str, int] = Field(description="number of items in `train` and `test`")
    class_counts: dict[str, tuple[int, ...]] = Field(
        description="items per class in each split, in the order of `classes`; of a regression and "
        "of several labels per item all labelled ones; 0 in a split without labels. Where they are "
        "fewer together than the split's items, the others have no label"
    )
    columns: tuple[ColumnInfo, ...] = Field(
        (),
        description="all columns of an uploaded table, or of the metadata of pictures, in their "
        "order",
    )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the task's outputs, in their order."""
        return self.task.names

    def named(self, classes: tuple[str, ...]) -> "Schema":
        """Returns the schema with outputs of other names or order; counts stay as they are."""
        return self.model_copy(update={"task": self.task.named(classes)})

    def in_list(self) -> "Schema":
        """Returns the schema with the first 100 classes and columns, as lists of datasets have
        it."""
        counts = {split: held[:LISTED_CLASSES] for split, held in self.class_counts.items()}
        cut = self.named(self.classes[:LISTED_CLASSES])
        inputs, columns = self.inputs.in_list(LISTED_COLUMNS), self.columns[:LISTED_COLUMNS]
        return cut.model_copy(update={"class_counts": counts, "inputs": inputs, "columns": columns})

    def has_labels(self, split: str) -> bool:
        """Tells whether any of its items has one: of a test split then all have."""
        return any(self.class_counts.get(split, ()))

    def labelled(self, split: str) -> int:
        """Counts how many items have a label."""
        return sum(self.class_counts.get(split, ()))


class DatasetSpec(TableSpec):
    """Rules for reading an upload; the `spec` part of the multipart body."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "letters", "test_fraction": 0.2}]},
    )

    name: str = Field(min_length=1, max_length=200)
    modality: Modality | None = Field(
        None,
        description="null: by the files. `joined`: pictures with a metadata.csv are learnt from "
        "together with its columns, a table's texts together with its other columns",
    )
    task: TaskKind | None = Field(
        None,
        description="null: by the labels. A matrix of 0 and 1 is several labels of each item, "
        "unless it is one-hot. Text is classes, numbers with fractions are quantities; "
        "whole numbers are classes unless there are more than 100 different ones with gaps between "
        "them. The profile's `task` says what was decided, and why",
    )
    unit: str = Field(
        "", max_length=40, description="of a regression's quantity, as `USD`: reports name it"
    )
    test_fraction: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="cut from data without a test split: from each class, or each part of a "
        "quantity's range, or of the items in the order of their rarest labels, or at random where "
        "there are no labels",
    )
    value_range: Pair[Bound] | None = Field(
        None,
        description="[low, high]: the raw values that become 0 and 1 before a network sees them; "
        "null: by the training split's values. 0 and 1 where none is outside; else 0 and the "
        "smallest of 16, 255, 4095 and 65535 that no whole number passes, 0 and 255 for fractions "
        "up to 255 that pass 16; -1 and 1 where values are within them and some below -0.5; else "
        "the least and the greatest",
    )
    image_size: Pair[Side] | None = Field(
        None,
        description="[height, width] that files of pictures are scaled to, each side by its own "
        "factor, so that nothing is cut off; null: the size that all have where they are alike and "
        "no side is above 256, else their median, of which the longer side becomes at most 224, a "
        "square where upright and lying pictures come. Arrays have their size already",
    )
    max_characters: int | None = Field(
        None,
        ge=1,
        le=MOST_CHARACTERS,
        description="that are kept of each text, at most, rounded up to a multiple of 32; null: as "
        "many as hold 99 % of the training texts whole, 1,024 at most. The rest of a longer one is "
        "cut off, in training as in predictions",
    )
    missing_label: MissingLabel = Field(
        "auto",
        description="the label of items that have none (of several labels per item: in all "
        "columns), `unlabelled` says what becomes of them; null: every label is a "
        "class; `auto`: so it is, but what looks like none (-1 beside other numbers, an empty "
        "text, what becomes of NaN) is refused",
    )

    unlabelled: Literal["keep", "leave_out"] = Field(
        "keep",
        description="what becomes of training items without a label among labelled ones: `keep` "
        "them, for targets that are labelled in part (`target.use_unlabelled`), or `leave_out`. "
        "Test items without a label are left out, and a test split is cut from labelled items",
    )
    unreadable: Literal["refuse", "leave_out"] = Field(
        "refuse",
        description="what becomes of an upload with files that cannot be read as pictures: all are "
        "named and it is refused, or they are left out, counted and named in the profile",
    )
    keep_upload: bool = Field(
        False,
        description="keep the files as they came, beside the arrays that become of them: they "
        "count too, and go with the dataset",
    )

    @field_validator("image_size")
    @classmethod
    def _holds(cls, size: tuple[int, int] | None) -> tuple[int, int] | None:
        if size and size[0] * size[1] > IMAGE_AREA:
            raise ValueError(
                f"expected a height and a width of at most {IMAGE_AREA} pixels together, "
                f"got {size[0]} x {size[1]}"
            )
        return size

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        asked = self.target.task if self.target else None
        if self.task and asked and self.task != asked:
            raise ValueError(f"expected one task, got `{self.task}` and in `target` `{asked}`")
        if self.has_separator and self.task not in {None, "multi_label"}:
            raise ValueError(f"expected the task multi_label beside `separator`, got `{self.task}`")
        return self

    @property
    def has_separator(self) -> bool:
        return self.target is not None and self.target.separator is not None

    @property
    def said_task(self) -> TaskKind | None:
        if self.has_separator:
            return "multi_label"
        return self.task or (self.target.task if self.target else None)

    @field_validator("value_range")
    @classmethod
    def _rises(cls, bounds: tuple[float, float] | None) -> tuple[float, float] | None:
        if bounds and bounds[1] - bounds[0] < NARROWEST_RANGE:
            raise ValueError(
                "expected a low and a higher value, as [0, 255], "
                f"got [{bounds[0]:g}, {bounds[1]:g}]"
            )
        return bounds


class DatasetFrom(Selection):
    """A dataset that is not uploaded: one of the catalogue, or what a selection leaves of another
    dataset. Its name is the catalogue's where none is given."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {"name": "digits", "from": "catalog:mnist_5k"},
                {"name": "zeros and ones", "from": "catalog:mnist_5k", "classes": ["0", "1"]},
            ]
        },
    )

    name: str = Field(min_length=1, max_length=200)
    origin: str = Field(
        alias="from",
        min_length=1,
        max_length=200,
        description="`catalog:NAME`; or, with a selection, also a dataset of the same project, by "
        "its id (`ds_…`) or its name. The new dataset is a copy: it stays when its origin is "
        "deleted",
    )

    @model_validator(mode="before")
    @classmethod
    def _named_after_origin(cls, data: Any) -> Any:
        """A dataset without a name of its own is asked for one."""
        origin = data.get("from") if isinstance(data, dict) else None
        if isinstance(origin, str) and "name" not in data and origin.startswith("catalog:"):
            return {**data, "name": origin.removeprefix("catalog:")}
        return data


class SameDataset(BaseModel):
    """Another dataset of the project that holds the very same data."""

    id: str
    name: str


class DatasetOut(BaseModel):
    id: str
    name: str
    status: DatasetStatus = Field(
        description="`damaged`: a stored file of it is gone or has another content than its hash "
        "says; it is `ready` again within seconds after the same data were uploaded again"
    )
    origin: str = Field(
        description="`upload`; `catalog:NAME`; or, of a derived dataset, what it was derived from: "
        "its profile's `derived` says how"
    )
    created_at: datetime
    schema_: Schema | None = Field(
        None, alias="schema", serialization_alias="schema", description="null until ready"
    )
    classes_left_off: int = Field(
        0,
        description="in lists no more than 100 classes of each dataset are named: so many more "
        "there are; the dataset's own answer names them all",
    )
    columns_left_off: int = Field(
        0,
        description="in lists no more than 100 columns of each table are told, in its profile too: "
        "so many more there are; the dataset's own answer tells them all",
    )
    profile: dict[str, Any] | None = Field(
        None,
        description="class balance (null in a split without labels), duplicates within and across "
        "the splits and those that contradict in their labels, the least and the greatest value of "
        "each split, constant pixels, how many items are labelled and left out, and `warnings` "
        "about them",
    )
    error: dict[str, Any] | None = Field(
        None,
        description="why the intake failed, or which stored file is damaged or gone, and what to "
        "do: {code, message, param, stage, errors}",
    )
    content_hash: str | None = None
    same_as: list[SameDataset] = Field(
        default=[],
        description="other datasets of the project with the same data, as of a file that was "
        "uploaded twice; empty until ready",
    )


class CataloguedDataset(BaseModel):
    """A dataset that a job can name as it is: `catalog:NAME`."""

    name: str
    reference: str
    title: str
    licence: str
    schema_: Schema = Field(alias="schema", serialization_alias="schema")
    download_bytes: int = Field(description="0: it comes with the worker and needs no network")


class CatalogueOut(BaseModel):
    data: list[CataloguedDataset]
