"""Datasets and models say what their items are (`inputs`) and what is asked of them (`task`)."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_26_inputs_and_tasks"
down_revision = "2026_11_26_memory"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OF_INPUTS, OF_TASK = ("shape", "dtype", "value_range"), ("classes",)
COLUMNS = {"datasets": "schema", "models": "signature"}


def upgrade() -> None:
    _rewrite(_nested)


def downgrade() -> None:
    _rewrite(_flat)


def _rewrite(change: Callable[[dict[str, Any], bool], dict[str, Any]]) -> None:
    connection = op.get_bind()
    for table, column in COLUMNS.items():
        rows = sa.table(table, sa.column("id", sa.String()), sa.column(column, JSON))
        held = sa.select(rows.c.id, rows.c[column]).where(rows.c[column].is_not(None))
        for identifier, value in connection.execute(held).all():
            if value:
                changed = change(value, table == "datasets")
                of_row = sa.update(rows).where(rows.c.id == identifier)
                connection.execute(of_row.values({column: changed}))


def _nested(flat: dict[str, Any], is_dataset: bool) -> dict[str, Any]:
    rest = {k: v for k, v in flat.items() if k not in {*OF_INPUTS, *OF_TASK, "modality", "task"}}
    inputs = {"modality": "image", **{name: flat.get(name) for name in OF_INPUTS}}
    task = {"kind": "classification", **{name: flat[name] for name in OF_TASK}}
    return {"inputs": inputs, "task": task, **rest}


def _flat(nested: dict[str, Any], is_dataset: bool) -> dict[str, Any]:
    rest = {name: value for name, value in nested.items() if name not in {"inputs", "task"}}
    inputs = {name: nested["inputs"][name] for name in OF_INPUTS}
    classes = nested["task"]["classes"]
    if is_dataset:
        told = {"modality": "image", "task": "classification"}
        return {**told, **inputs, "classes": classes, **rest}
    value_range = inputs.pop("value_range")
    return {**inputs, "classes": classes, "value_range": value_range, **rest}
