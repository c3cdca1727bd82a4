"""Rows of a stored table, as a preview shows them."""

from pathlib import Path

import httpx
import numpy as np
import pytest

from app.client import Client
from app.database import Database
from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, NumberColumn
from app.inputs.table import TableInputs
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tasks.classification import Classification

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

# Names that are those of a preview's own members too.
INPUTS = TableInputs(
    columns=(
        NumberColumn(name="index", edges=(0.0, 9.0)),
        CategoryColumn(name="label", values=("a", "b")),
    )
)
NUMBERS = np.array([[1.5, 0], [np.nan, 2], [3, np.nan]], np.float32)


def test_rows_are_shown_by_the_names_of_their_columns(
    client: httpx.Client, database: Database, storage: Storage, tmp_path: Path
) -> None:
    arrays = {}
    for name, array in {"x_train": NUMBERS, "y_train": np.array([0, 1, -1])}.items():
        np.save(tmp_path / f"{name}.npy", array)
        arrays[name] = storage.put(tmp_path / f"{name}.npy")
    task = Classification(classes=("no", "yes"))
    schema = Schema(
        inputs=INPUTS, task=task, splits={"train": 3, "test": 0}, class_counts={"train": (1, 1)}
    )
    with database.write() as session:
        row = DatasetRow(
            id="ds_1",
            project="default",
            name="rows",
            origin="upload",
            spec={},
            status="ready",
            arrays=arrays,
            schema=schema.model_dump(mode="json"),
        )
        session.add(row)
    shown = client.get("/v1/datasets/ds_1/preview").json()["data"]
    assert shown == [
        {"index": 0, "label": "no", "row": {"index": 1.5, "label": "a"}},
        {"index": 1, "label": "yes", "row": {"index": None, "label": "(other)"}},
        {"index": 2, "label": None, "row": {"index": 3.0, "label": None}},
    ]
    with Client(str(client.base_url), api_key="") as typed:
        items = typed.datasets.preview("ds_1", "train", limit=2).data
    assert [item.row for item in items] == [each["row"] for each in shown[:2]]
