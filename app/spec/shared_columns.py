"""Sentences on the columns that a source's table shares with the target's."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from app.spec.figures import ReportPart
from app.spec.rewritten_columns import MadeUpColumn, ScaledColumn

MEASURES = {
    "wasserstein": "Wasserstein distance in quantile units",
    "total_variation": "total variation",
}
NAMED = 10  # columns in one sentence
APART = 0.8  # that numbers of one unit hardly are


class SharedColumn(ReportPart):
    name: str = Field(description="the target's, which is the network's")
    source_name: str
    kind: str
    confirmed: bool = Field(False, description="whether the job said that the two are one")
    measure: Literal["wasserstein", "total_variation"] = Field(
        description="of numbers and dates the 1-Wasserstein distance of their ranks among both "
        "tables' values; of categories and flags total variation"
    )
    distance: float | None = Field(
        None,
        description="how far apart the two are, 0 (alike) to 1 (no value in common), by up to 512 "
        "training rows of each; null where one has no value, or is a model without its data",
    )
    missing: tuple[float, float] | None = Field(
        None, description="shares of the target's and of the source's rows without a value"
    )


class UnlikeColumns(ReportPart):
    """Columns of equal names that are not one, and what would make them one."""

    name: str
    source_name: str
    reason: str


class SimilarColumns(ReportPart):
    """Columns of other names that may be one: a job says so in its source's `columns`."""

    name: str
    source_name: str
    reason: str


class SharedColumns(ReportPart):
    """Columns shared by one source's table and the target's, in the order of the target's
    columns."""

    source: int = Field(description="its place among the job's sources, from 1")
    shared: list[SharedColumn]
    target_only: list[str] = Field(
        description="which start fresh: the source teaches nothing of it"
    )
    source_only: list[str] = Field(description="which fall away")
    unlike: list[UnlikeColumns] = Field(default_factory=list)
    similar: list[SimilarColumns] = Field(default_factory=list)
    scaled: list[ScaledColumn] = Field(
        default_factory=list,
        description="numbers that `domain_scaling` has brought to the target's scale; in a report",
    )
    made_up: list[MadeUpColumn] = Field(
        default_factory=list,
        description="columns of the target alone that `pseudo_features` has predicted in the "
        "source's rows, or has left out; in a report",
    )

    @property
    def names(self) -> Mapping[str, str]:
        """Names of the shared columns, the target's -> the source's."""
        return {column.name: column.source_name for column in self.shared}

    @property
    def proposal(self) -> dict[str, str]:
        """Returns what a job's source would say in `columns` to take up all that is proposed."""
        return {pair.name: pair.source_name for pair in self.similar}

    @property
    def sentences(self) -> list[str]:
        """Sentences for a person; of a source whose columns are the target's, how far apart they
        are."""
        said = [self._counts, *self._others]
        said += [f"not matched: `{each.name}`: {each.reason}" for each in self.unlike]
        said += [
            f"may be one: `{each.name}` in the target and `{each.source_name}` in the source: "
            f"{each.reason}; say so in the source's `columns`, or name them alike"
            for each in self.similar
        ]
        renamed = [each for each in self.shared if each.confirmed]
        if renamed:
            pairs = ", ".join(f"`{each.source_name}` as `{each.name}`" for each in renamed)
            said.append(f"matched because the job says so: {pairs}")
        if self.furthest:
            said.append(self.furthest)
        for arm in dict.fromkeys(each.arm for each in self.scaled):
            names = [each.name for each in self.scaled if each.arm == arm]
            said.append(f"{arm} was trained with these on the target's scale: {listed(names)}")
        return said + [f"{each.arm}: {each.sentence}" for each in self.made_up]

    @property
    def furthest(self) -> str | None:
        """The shared column that differs most; None where no distance is known."""
        known = [(each.distance, each) for each in self.shared if each.distance is not None]
        if not known:
            return None
        apart, column = max(known, key=lambda pair: pair[0])
        said = (
            f"furthest apart of the shared columns is `{column.name}`: {apart:.2f} "
            f"({MEASURES[column.measure]}, 0 alike, 1 without overlap)"
        )
        if column.kind == "number" and apart >= APART:
            said += (
                "; if it has another unit there, the strategy `domain_scaling` brings the source's "
                "numbers to the target's scale"
            )
        return said

    @property
    def _counts(self) -> str:
        noun = "column" if len(self.shared) == 1 else "columns"
        return f"{len(self.shared)} {noun} shared by source {self.source} and the target"

    @property
    def _others(self) -> list[str]:
        said = []
        if self.target_only:
            said.append(f"in the target alone, started fresh: {listed(self.target_only)}")
        if self.source_only:
            said.append(f"in the source alone, left out: {listed(self.source_only)}")
        return said


def listed(names: list[str]) -> str:
    """The first ten, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(f"`{name}`" for name in names[:NAMED]) + more
