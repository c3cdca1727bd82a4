"""A small table with a column of each kind."""

from typing import Any

import numpy as np

from app.inputs.columns import CategoryColumn, DateColumn, FlagColumn, NumberColumn
from app.inputs.table import TableInputs

TABLE = TableInputs(
    columns=(
        NumberColumn(name="age", unit="years", edges=(20, 40, 60, 80)),
        FlagColumn(name="smokes"),
        CategoryColumn(name="city", values=("Rome", "Oslo")),
        DateColumn.fit("seen", np.array([0.0, 10_000.0, np.nan])),
    )
)
ROWS: list[dict[str, Any]] = [
    {"age": 57.5, "smokes": True, "city": "Oslo", "seen": "1970-01-01"},
    {"age": None, "smokes": None, "city": None, "seen": None},
    {"age": 900, "smokes": False, "city": "Bonn", "seen": "2026-11-26"},
    {"age": 30, "smokes": False, "city": "Rome", "seen": "1997-05-19"},
]
