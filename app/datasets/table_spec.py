"""Settings of tables in a dataset's spec, and what is told of their columns."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    field_validator,
    model_validator,
)

from app.sent import Array, Sent
from app.tasks import TaskKind

Kind = Literal["number", "category", "flag", "date", "text"]
FoundKind = Literal["number", "category", "flag", "date", "text", "image", "constant", "identifier"]
Role = Literal["feature", "label", "group", "domain", "id", "time", "ignored"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
MissingWord = Annotated[str, Field(min_length=1, max_length=200)]
DIRECTIVE = re.compile(r"%(.?)")
DIRECTIVES = (*"YymbBdHIMSp",)
Value = Annotated[str, Field(max_length=200)] | StrictInt | StrictFloat | StrictBool


def _day_named(form: str) -> str:
    """Refuses what PyArrow's and Python's strptime do not read alike, and forms without a day."""
    letters = DIRECTIVE.findall(form)
    known = ", ".join(f"%{letter}" for letter in DIRECTIVES)
    if strange := [letter for letter in letters if letter not in DIRECTIVES]:
        raise ValueError(f"expected parts of a date among {known}, got {len(strange)} others")
    if not all({*letters} & {*part} for part in ("Yy", "mbB", "d")):
        raise ValueError(f"expected a year, a month and a day, as %d.%m.%Y, of {known}")
    return form


DateFormat = Annotated[str, Field(max_length=40), AfterValidator(_day_named)]


class ColumnInfo(BaseModel):
    """One column of the upload, whether a network sees it or not."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: FoundKind
    role: Role = Field(description="a network sees those that are a `feature`")
    unit: str = ""
    reason: str = Field(description="why it is of that kind and has that role")


class ColumnSpec(Sent):
    """Description of a column, where that is not to be inferred."""

    kind: Kind | None = Field(None, description="null: by its values")
    role: Role | None = Field(None, description="null: by its kind and name")
    unit: str = Field("", max_length=40, description="of a number, as `mg/dl`")
    format: DateFormat | None = Field(
        None,
        description="of dates as text, as strptime has it: %d.%m.%Y; null: as ISO 8601 has them, "
        "or in the one other form that fits them all",
    )
    missing: Array[MissingWord] = Field(
        (), description="of this column alone, beside those of all columns"
    )

    @model_validator(mode="after")
    def _of_dates(self) -> Self:
        if self.format is not None and self.kind != "date":
            raise ValueError('expected `format` beside the `kind` "date" alone')
        return self


class TargetSpec(Sent):
    """Columns that are to be learnt."""

    column: Name | None = Field(
        None, description="of a table or of the metadata of pictures: the one with the labels"
    )
    columns: Array[Name] | None = Field(
        None,
        description="of a table: those that hold 0 and 1, a label each; []: it has no labels",
    )
    separator: Annotated[str, Field(min_length=1, max_length=3)] | None = Field(
        None,
        description="of one column that names several labels in each row, as "
        "`Cardiomegaly|Effusion`: what stands between them. Each label becomes a column, and "
        "`task` is multi_label; an empty field is a row whose labels are not known",
    )
    none: Name | None = Field(
        None,
        description="with `separator`: the word that means that none of the labels applies, as "
        "`No Finding`",
    )
    task: TaskKind | None = Field(None, description="as `task` beside it")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.column is not None and self.columns is not None:
            raise ValueError("expected one of `column` and `columns`, got both")
        if self.separator is not None and self.columns is not None:
            raise ValueError("expected `separator` beside one `column`, got it beside `columns`")
        if self.separator is not None and self.task not in {None, "multi_label"}:
            raise ValueError(f"expected the task multi_label beside `separator`, got `{self.task}`")
        if self.none is not None and self.separator is None:
            raise ValueError("expected `none` beside `separator`, got it alone")
        return self


class SplitSpec(Sent):
    """Choice of the rows of a table that are for testing: one of `column`,
    `where`, `time` and a cut."""

    column: Name | None = Field(
        None,
        description="whose values say so: train, training; test, testing; validation rows are for "
        "training where there are test rows, else for testing",
    )
    where: Mapping[Name, Array[Value]] | None = Field(
        None, description="rows whose columns have one of these values each are the test split"
    )
    time: Name | None = Field(
        None,
        description="a column of dates or numbers: the latest rows are the test split, from "
        "`test_from` on, or those whose share is nearest to `test_fraction`. Rows of one moment "
        "are never cut apart; a row without one is refused; no network sees the column",
    )
    test_from: Annotated[str, Field(max_length=40)] | StrictInt | StrictFloat | None = Field(
        None,
        description="with `time`: the first moment of the test split, as 2026-01-01, or a number",
    )
    test_fraction: float | None = Field(None, gt=0, lt=1, description="as beside it")
    seed: int = Field(0, ge=0, lt=2**31, description="of the cut")
    group: Name | None = Field(
        None,
        description="a column: rows of one value are never cut apart, as those of a patient; nor "
        "are they where a job holds training rows out to choose, stop and calibrate by",
    )

    @property
    def roles(self) -> Mapping[str, Role]:
        """Roles that columns have because rows are split by them."""
        found: dict[str, Role] = dict.fromkeys(self.where or (), "domain")
        if self.time is not None:
            found[self.time] = "time"
        if self.column is not None:
            found[self.column] = "ignored"
        return found | ({} if self.group is None else {self.group: "group"})

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        has_fraction = self.test_fraction is not None
        if self.test_from is not None and (self.time is None or has_fraction):
            raise ValueError("expected `test_from` beside `time` alone")
        is_cut = bool(self.seed) or self.group is not None or (has_fraction and not self.time)
        ways = {
            "`column`": self.column is not None,
            "`where`": self.where is not None,
            "`time`": self.time is not None,
            "a cut (`test_fraction`, `seed`, `group`)": is_cut,
        }
        said = [way for way, is_said in ways.items() if is_said]
        if len(said) > 1:
            raise ValueError(f"expected one way to split, got {' and '.join(said)}")
        if self.where is not None and not (self.where and all(self.where.values())):
            raise ValueError("expected columns in `where`, with a value or more for each")
        return self


class CsvSpec(Sent):
    """Dialect of a CSV or TSV file, where that is not to be found out."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        None, description="one character of ASCII, but for a quote and ends of lines"
    )
    decimal: Literal[".", ","] | None = None
    encoding: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        None, description="as Python calls it: utf-8, utf-16, gb18030, cp1252, …"
    )

    @field_validator("delimiter")
    @classmethod
    def _tells_fields_apart(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (not delimiter.isascii() or delimiter in '"\r\n'):
            raise ValueError("expected a character of ASCII that is no quote and no end of a line")
        return delimiter


class TableSpec(Sent):
    """Those members of a dataset's spec that are about columns: of a table, or of a metadata.csv
    beside pictures."""

    columns: Mapping[Name, Kind | Literal["ignore"] | ColumnSpec] = Field(
        default_factory=dict,
        description="kinds, or kinds with roles and units, by names of columns, for those that are "
        'not to be inferred; "ignore" leaves a column out',
    )
    target: TargetSpec | None = Field(
        None,
        description="what is to be learnt. null: of a table the column that is named label, "
        "labels, target, class or y; of arrays their labels; of pictures the metadata's column "
        "label, labels, class, category or target, else their folders",
    )
    split: SplitSpec | None = Field(
        None,
        description="null: by the names of files and folders, or cut by `test_fraction`. `column`, "
        "`where`, `time` and `group` name columns of a table or of the metadata of pictures",
    )
    missing: Array[MissingWord] = Field(
        (),
        description="words that mean that a table's field has no value, as an empty field does; "
        "nothing else does: NA, None and null are values. A number means that number, however it "
        "is written",
    )
    csv: CsvSpec | None = None
