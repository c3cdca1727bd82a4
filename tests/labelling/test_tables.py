"""Rows of tables: named by their identifier, brought to the job's columns."""

from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc

from app.access.authentication import DEFAULT_PROJECT
from app.datasets.schemas import Schema
from app.datasets.table_spec import ColumnInfo
from app.inputs.columns import CategoryColumn, NumberColumn
from app.inputs.table import TableInputs
from app.tables.datasets import DatasetRow
from app.tasks.classification import Classification
from tests.labelling.conftest import Add, ask
from tests.labelling.test_labelling import answered
from tests.trials.stored import add_stored
from worker.machine.context import WorkerContext

pytestmark = [
    pytest.mark.usefixtures("few_draws"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
AGE = NumberColumn.fit("age", np.linspace(20, 90, 50))
TEST = 6


def add_people(
    context: WorkerContext,
    folder: Path,
    seed: int,
    labelled: int,
    others: int,
    wards: tuple[str, str] = ("north", "south"),
    ward: str = "ward",
) -> str:
    """Patients, those without a label behind the others; training patients are P0, P1, …, test
    patients T0, T1, …."""
    rng, arrays, counts, splits = np.random.default_rng(seed), {}, {}, {}
    for split, items, known in (
        ("train", labelled + others, labelled),
        ("test", TEST, TEST if labelled else 0),
    ):
        age, south = rng.uniform(20, 90, items), rng.integers(0, 2, items)
        y = (age > 55).astype(np.int32)
        y[known:] = -1
        arrays |= {f"x_{split}": np.stack([age, south], 1).astype(np.float32), f"y_{split}": y}
        counts[split] = (int((y == 0).sum()), int((y == 1).sum()))
        splits[split] = items
    kinds = {"patient": ("identifier", "ignored"), "age": ("number", "feature")}
    kinds[ward] = ("category", "feature")
    schema = Schema(
        inputs=TableInputs(columns=(AGE, CategoryColumn.fit(ward, list(wards), [2, 1]))),
        task=Classification(classes=("well", "ill")),
        splits=splits,
        class_counts=counts,
        columns=tuple(
            ColumnInfo(name=name, kind=kind, role=role, reason="said")
            for name, (kind, role) in kinds.items()
        ),
    )
    dataset_id = add_stored(context, folder, f"people {seed}", arrays, schema, DEFAULT_PROJECT)
    names = [*(f"P{k}" for k in range(splits["train"])), *(f"T{k}" for k in range(TEST))]
    rows, path = pa.table({"patient": names}), folder / f"rows {seed}.arrow"
    with pa.OSFile(str(path), "wb") as file, ipc.new_file(file, rows.schema) as writer:
        writer.write_table(rows)
    with context.database.write() as session:
        row = session.get_one(DatasetRow, dataset_id)
        row.arrays = {**row.arrays, "rows": context.storage.put(path)}
    return dataset_id


def test_rows_are_named_by_their_identifier(
    client: httpx.Client, context: WorkerContext, tmp_path: Path, ended: Add
) -> None:
    source, target = (
        add_people(context, tmp_path, seed, 60, others) for seed, others in ((1, 0), (2, 9))
    )
    found = answered(client, context, ended(source, target), items=9)
    assert (found["status"], found["identifier_column"]) == ("succeeded", "patient"), found["error"]
    assert sorted(each["index"] for each in found["data"]) == list(range(60, 69))
    assert all(each["identifier"] == f"P{each['index']}" for each in found["data"])
    assert found["worth"]["metric"] == "accuracy"


def test_other_tables_are_brought_to_the_jobs_columns(
    client: httpx.Client, context: WorkerContext, tmp_path: Path, ended: Add
) -> None:
    """The same patients under codes of another order are guessed alike."""
    job_id = ended(add_people(context, tmp_path, 1, 60, 0), add_people(context, tmp_path, 2, 60, 9))
    guesses = []
    for wards in (("north", "south"), ("south", "north")):
        other = add_people(context, tmp_path, 3, 0, 12, wards)
        if wards[0] == "south":
            with context.database.write() as session:
                row = session.get_one(DatasetRow, other)
                for split in ("train", "test"):
                    x = np.load(context.storage.local(row.arrays[f"x_{split}"]))
                    x[:, 1] = 1 - x[:, 1]
                    np.save(tmp_path / "turned.npy", x)
                    turned = context.storage.put(tmp_path / "turned.npy")
                    row.arrays = {**row.arrays, f"x_{split}": turned}
        found = answered(client, context, job_id, items=18, **{"from": other})
        assert found["status"] == "succeeded", found["error"]
        guesses.append({each["identifier"]: each["guess"] for each in found["data"]})
    assert guesses[0] == guesses[1]
    assert set(guesses[0]) == {*(f"P{k}" for k in range(12)), *(f"T{k}" for k in range(TEST))}


def test_a_table_that_lacks_a_column_is_refused(
    client: httpx.Client, context: WorkerContext, tmp_path: Path, ended: Add
) -> None:
    job_id = ended(add_people(context, tmp_path, 1, 60, 0), add_people(context, tmp_path, 2, 60, 9))
    other = add_people(context, tmp_path, 3, 0, 12, ward="floor")
    problem = ask(client, job_id, **{"from": other}).json()
    assert problem["code"] == "column_missing"
    assert "ward (category)" in problem["detail"]
