"""Facts that strategies for tables need of a job's columns, and what is said where they are not
there."""

from collections.abc import Sequence

from app.datasets.schemas import Schema
from app.inputs.columns import Column, MeasuredColumn, NumberColumn
from app.spec.source import Source
from app.spec.sources import SourceFacts
from app.spec.table_matching import SourceTable, tables_of

MOST_MADE_UP = 64  # columns that a source lacks, each of which takes models of its own

Obstacle = tuple[str, str]  # code, sentence


def nothing_to_scale(
    sources: Sequence[Source], facts: Sequence[SourceFacts], target: Schema
) -> Obstacle | None:
    """Says why no number of a source can be brought to the target's scale; None where one can."""
    tables = tables_of(sources, facts, target)
    if unfit := _no_tables(tables, sources):
        return unfit
    if any(_shares_numbers(table) for table in tables):
        return None
    return (
        "no_shared_numbers",
        "expected a number that source and target both have and that has several values in each, "
        "got none: there is no scale to bring one to. Dates, categories and flags have none",
    )


def nothing_lacking(
    sources: Sequence[Source], facts: Sequence[SourceFacts], target: Schema
) -> Obstacle | None:
    """Says why no column can be made up in a source's rows; None where one can."""
    tables = tables_of(sources, facts, target)
    if unfit := _no_tables(tables, sources):
        return unfit
    counts = [len(table.target_only) for table in tables]
    if max(counts) > MOST_MADE_UP:
        return (
            "too_many_lacking_columns",
            f"expected at most {MOST_MADE_UP} columns of the target that a source lacks, got "
            f"{max(counts)}: each takes models of its own",
        )
    if any(_varies(column) for table in tables for column in _lacking(table)):
        return None
    if any(counts):
        return (
            "no_lacking_column",
            "expected a column that a source lacks and that has several values in the target, got "
            "none: there is nothing to predict",
        )
    return (
        "no_lacking_column",
        "expected a column of the target that a source lacks, got a source that has them all: "
        "there is nothing to make up",
    )


def _no_tables(tables: Sequence[SourceTable], sources: Sequence[Source]) -> Obstacle | None:
    if len(tables) < len(sources):
        return "not_a_table", "expected tables as source and target: it is about their columns"
    if not all(table.facts.has_data for table in tables):
        return (
            "needs_source_data",
            "expected the source's data, got a model without it: its network is trained on rows "
            "that are written anew",
        )
    return None


def _shares_numbers(table: SourceTable) -> bool:
    pairs = ((each, table.given.counterpart(each.name)) for each in table.target.columns)
    return any(
        isinstance(own, NumberColumn) and other is not None and _varies(own) and _varies(other)
        for own, other in pairs
    )


def _lacking(table: SourceTable) -> list[Column]:
    names = set(table.target_only)
    return [column for column in table.target.columns if column.name in names]


def _varies(column: Column) -> bool:
    """Tells whether training rows have several values of it."""
    if isinstance(column, MeasuredColumn):
        return len(column.edges) > 1
    return len(column.values) > 1
