"""Distances of a job's sources from its target, by a few training items of each."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from app.datasets.schemas import Schema
from app.datasets.sketch import distance
from app.inputs.column_distance import comparable
from app.inputs.contract import Sketch
from app.spec.source import Source
from app.spec.sources import Sample, SourceFacts
from app.spec.table_matching import SourceTable, tables_of

Distances = dict[str, float | None]


def with_distances(
    sources: Sequence[Source], facts: Sequence[SourceFacts], target: Schema, sample: Sample
) -> list[SourceFacts]:
    """The facts with the distance of each, which is computed when it is asked for. Tables are
    compared in the columns that they share, as if each had come from one survey."""
    tables = {table.place: table for table in tables_of(sources, facts, target)}
    return [
        replace(each, distance=partial(_distance, each.sample, sample, tables.get(place)))
        for place, each in enumerate(facts)
    ]


def _distance(of_source: Sample, of_target: Sample, table: SourceTable | None) -> Distances | None:
    one, other = of_source(), of_target()
    if one is None or other is None:
        return None
    if table is None:
        return distance(one, other)
    return _of_tables(table, one, other)


def _of_tables(table: SourceTable, one: Sketch, other: Sketch) -> Distances | None:
    if not table.match.names:
        return None
    names = dict(table.match.names)
    return distance(*comparable(table.target, table.inputs, names, (other, one)))
