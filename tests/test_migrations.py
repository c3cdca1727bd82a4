"""The migrations build the schema that the code was written for, on both databases."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import column, insert, inspect, select, table, text

from app.database import Database, now
from app.datasets.schemas import Schema
from app.migrate import UnknownSchema, downgrade, is_current, upgrade
from app.models.schemas import Signature
from app.tables import Base, DatasetRow, KeyRow, ModelRow

VERSIONS = "alembic_version"


def reflected(database: Database) -> dict[str, Any]:
    """Everything the database itself says of its tables, names of the constraints included."""
    inspector = inspect(database.engine)
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"])
                for column in sorted(inspector.get_columns(table), key=lambda c: c["name"])
            ],
            "primary_key": inspector.get_pk_constraint(table),
            "foreign_keys": inspector.get_foreign_keys(table),
            "unique": sorted(inspector.get_unique_constraints(table), key=lambda u: str(u["name"])),
            "indexes": sorted(inspector.get_indexes(table), key=lambda i: str(i["name"])),
        }
        for table in sorted(inspector.get_table_names())
        if table != VERSIONS
    }


def test_up_down_and_up_again(database_url: str) -> None:
    database = Database(database_url)
    upgrade(database_url)
    first = reflected(database)
    assert set(first) == set(Base.metadata.tables)
    assert is_current(database)

    downgrade(database_url)
    assert inspect(database.engine).get_table_names() == [VERSIONS]
    assert not is_current(database)

    upgrade(database_url)
    upgrade(database_url)  # nothing to do
    assert reflected(database) == first
    database.dispose()


def test_the_models_and_the_migrations_agree(database_url: str) -> None:
    database = Database(database_url)
    Base.metadata.create_all(database.engine)
    wanted = reflected(database)
    Base.metadata.drop_all(database.engine)
    upgrade(database_url)
    assert reflected(database) == wanted
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    database.dispose()


def test_uploads_kept_beside_their_arrays_are_named_no_more(database_url: str) -> None:
    upgrade(database_url)
    downgrade(database_url, "2026_11_26_planned_seconds")
    database = Database(database_url)
    for status in ("ready", "ingesting"):
        with database.write() as session:
            row = DatasetRow(project="p", name="n", origin="upload", spec={}, status=status)
            row.id, row.files = f"ds_{status}", [{"name": "a", "ref": "r", "bytes": 1}]
            session.add(row)
    upgrade(database_url)
    with database.read() as session:
        files = [session.get_one(DatasetRow, f"ds_{s}").files for s in ("ready", "ingesting")]
    assert [len(each) for each in files] == [0, 1]
    database.dispose()


FLAT = {"shape": [8, 8, 1], "dtype": "uint8", "value_range": [0.0, 16.0], "classes": ["a", "é"]}
COUNTS = {"splits": {"train": 4}, "class_counts": {"train": [2, 2]}}


def test_flat_schemas_and_signatures_are_nested_and_back(database_url: str) -> None:
    upgrade(database_url)
    downgrade(database_url, "2026_11_26_memory")
    database = Database(database_url)
    flat = {"modality": "image", "task": "classification", **FLAT, **COUNTS}
    old_model = {name: FLAT[name] for name in ("shape", "dtype", "classes")}
    of_models = ModelRow.__table__.c  # but for what came later
    held = ("id", "project", "name", "files", "card", "signature", "created_at")
    models_before = table("models", *(column(name, of_models[name].type) for name in held))
    with database.write() as session:
        for name, schema in (("ready", flat), ("failed", None)):
            row = DatasetRow(project="p", name="n", origin="upload", spec={}, status=name)
            row.id, row.schema = f"ds_{name}", schema
            session.add(row)
        for name, signature in (("new", {**FLAT, "temperature": 1.5}), ("old", old_model)):
            row = {"id": f"mdl_{name}", "project": "p", "name": "n", "files": {}, "card": {}}
            session.execute(
                insert(models_before), {**row, "signature": signature, "created_at": now()}
            )
    upgrade(database_url)
    with database.read() as session:
        schema = Schema.model_validate(session.get_one(DatasetRow, "ds_ready").schema)
        assert session.get_one(DatasetRow, "ds_failed").schema is None
        new, old = (
            Signature.model_validate(session.get_one(ModelRow, f"mdl_{name}").signature)
            for name in ("new", "old")
        )
    assert (schema.inputs.shape, schema.inputs.value_range) == ((8, 8, 1), (0, 16))
    assert (schema.task.classes, schema.class_counts) == (("a", "é"), {"train": (2, 2)})
    assert (new.inputs, new.task, new.temperature) == (schema.inputs, schema.task, 1.5)
    assert (old.inputs.value_range, old.temperature) == (None, None)
    downgrade(database_url, "2026_11_26_memory")
    with database.read() as session:
        assert session.get_one(DatasetRow, "ds_ready").schema == flat
        one = select(models_before.c.signature).where(models_before.c.id == "mdl_new")
        again = session.scalar(one)
    assert again == {**FLAT, "temperature": 1.5}
    database.dispose()


def test_times_come_back_aware(database_url: str) -> None:
    upgrade(database_url)
    database = Database(database_url)
    made = now()
    with database.write() as session:
        row = KeyRow(id="key_1", project="p", name="n", secret_hash="h", scopes=["read"])
        row.created_at = made
        session.add(row)
    with database.read() as session:
        found = session.get(KeyRow, "key_1")
        assert found is not None
        assert found.created_at == made
        assert found.created_at.utcoffset() is not None
    database.dispose()


def test_an_empty_database_is_behind(database_url: str) -> None:
    database = Database(database_url)
    assert not is_current(database)
    database.dispose()


def test_the_file_and_its_folder_are_made(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'not' / 'yet' / 'ktl.db'}")
    assert (tmp_path / "not" / "yet" / "ktl.db").exists()


@pytest.mark.slow
def test_many_processes_upgrade_at_once(database_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(6, mp_context=spawn) as pool:
        list(pool.map(upgrade, [database_url] * 6))
    database = Database(database_url)
    assert is_current(database)
    database.dispose()


def test_a_database_of_a_newer_release_is_left_as_it_is(database_url: str) -> None:
    upgrade(database_url)
    database = Database(database_url)
    with database.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text(f"UPDATE {VERSIONS} SET version_num = '2030_01_01_later'"))
    with pytest.raises(UnknownSchema, match="2030_01_01_later"):
        upgrade(database_url)
    with pytest.raises(UnknownSchema):
        is_current(database)
    database.dispose()
