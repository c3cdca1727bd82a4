"""Datasets as the outside sees them."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from app.datasets.repository import Twin
from app.datasets.schemas import LISTED_COLUMNS, DatasetOut, SameDataset, Schema
from app.tables.datasets import DatasetRow


def present_dataset(
    row: DatasetRow, is_listed: bool = False, twins: Sequence[Twin] = ()
) -> DatasetOut:
    whole = Schema.model_validate(row.schema) if row.schema else None
    schema = whole.in_list() if whole and is_listed else whole
    return DatasetOut(
        id=row.id,
        name=row.name,
        status=row.status,
        origin=row.origin,
        created_at=row.created_at,
        schema=schema,
        classes_left_off=len(whole.classes) - len(schema.classes) if whole and schema else 0,
        columns_left_off=len(whole.columns) - len(schema.columns) if whole and schema else 0,
        profile=_listed_profile(row.profile) if is_listed else row.profile,
        error=row.error,
        content_hash=row.content_hash,
        same_as=[SameDataset(id=each.id, name=each.name) for each in twins],
    )


def _listed_profile(profile: dict[str, Any] | None) -> dict[str, Any] | None:
    if profile is None or len(columns := profile.get("columns") or {}) <= LISTED_COLUMNS:
        return profile
    return {**profile, "columns": dict(islice(columns.items(), LISTED_COLUMNS))}
