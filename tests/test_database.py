"""Transactions on real databases: many writers, messages after the commit, one clock."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.database import Database, announce, clock
from app.messages import Message, RunTrial
from app.tables import Base, DatasetRow, KeyRow
from app.tables.jobs import EpochRow, JobRow, TrialRow

PROCESSES, EPOCHS = 20, 25


def add_trials(database: Database, count: int) -> None:
    with database.write() as session:
        session.add(DatasetRow(id="ds_1", project="p", name="n", origin="upload", spec={}))
        session.flush()
        session.add(
            JobRow(id="job_1", project="p", name="n", spec={}, target_id="ds_1", source_ids=[])
        )
        session.flush()
        for n in range(count):
            trial = TrialRow(id=f"trial_{n}", job_id="job_1", position=n, role="transfer")
            trial.arm, trial.seed = "fine_tune", n
            session.add(trial)


def write_epochs(url: str, trial_id: str) -> None:
    """A training child's writing: a row each epoch, and the trial's progress beside it."""
    database = Database(url)
    for epoch in range(1, EPOCHS + 1):
        with database.write() as session:
            trial = session.get_one(TrialRow, trial_id)  # a read that turns into a write
            trial.progress = epoch / EPOCHS
            session.add(
                EpochRow(
                    trial_id=trial_id,
                    phase="finetune",
                    phase_index=0,
                    epoch=epoch,
                    split="train",
                    values={"loss": 1 / epoch},
                )
            )
    database.dispose()


@pytest.mark.slow
def test_twenty_processes_write_metrics_into_one_sqlite_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    database = Database(url)
    Base.metadata.create_all(database.engine)
    add_trials(database, PROCESSES)
    database.dispose()  # nothing open crosses into the children
    clean = multiprocessing.get_context("forkserver")  # children that inherit nothing from pytest
    clean.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(PROCESSES, mp_context=clean) as pool:
        writers = [pool.submit(write_epochs, url, f"trial_{n}") for n in range(PROCESSES)]
        for writer in writers:
            writer.result()  # raises what the writer raised: "database is locked" above all
    with database.read() as session:
        counts = select(EpochRow.trial_id, func.count()).group_by(EpochRow.trial_id)
        found = dict(session.execute(counts).all())
        progress = set(session.scalars(select(TrialRow.progress)))
    assert found == {f"trial_{n}": EPOCHS for n in range(PROCESSES)}
    assert progress == {1.0}
    database.dispose()


def key(name: str) -> KeyRow:
    return KeyRow(id=name, project="p", name=name, secret_hash=name, scopes=[])


def test_messages_leave_after_the_commit(database_url: str) -> None:
    seen: list[tuple[Message, bool]] = []

    def publish(message: Message) -> None:
        with reader.read() as session:
            seen.append((message, session.get(KeyRow, "key_1") is not None))

    reader, database = Database(database_url), Database(database_url, publish)
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        session.add(key("key_1"))
        announce(session, RunTrial("trial_1"))
        announce(session, RunTrial("trial_2"))
        assert seen == []
    assert seen == [(RunTrial("trial_1"), True), (RunTrial("trial_2"), True)]
    with database.write():
        pass
    assert len(seen) == 2  # sent once
    database.dispose()
    reader.dispose()


def test_a_rollback_sends_nothing_and_keeps_nothing(database_url: str) -> None:
    sent: list[Message] = []
    database = Database(database_url, sent.append)
    Base.metadata.create_all(database.engine)

    def fail_half_way() -> None:
        with database.write() as session:
            session.add(key("key_1"))
            session.flush()
            announce(session, RunTrial("trial_1"))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert sent == []
    with database.read() as session:
        assert session.get(KeyRow, "key_1") is None
    database.dispose()


def test_the_clock_is_the_databases_and_moves_within_a_transaction(database: Database) -> None:
    with database.read() as session:
        first = session.scalar(select(clock()))
        time.sleep(0.02)
        second = session.scalar(select(clock()))
    assert first is not None
    assert second is not None
    assert second > first
    assert abs(first - time.time()) < 60
