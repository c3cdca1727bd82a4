"""The books find what chaos looks for: each row that is wrong is complained of."""

from pathlib import Path
from shutil import copyfile

import pytest
from sqlalchemy import text, update

from app.database import Database
from app.errors import FailureCode
from app.jobs import work
from app.tables.jobs import EpochRow, JobRow
from tests.jobs.factories import claim, finish, ready_job
from tests.system.books import Books

HARM = {
    "DELETE FROM epochs WHERE epoch = 1": "has told other epochs",
    "UPDATE epochs SET epoch = 7 WHERE epoch = 2": "has told other epochs",
    "UPDATE events SET data = json_set(data, '$.epoch', 1) WHERE kind = 'epoch'": "some twice",
    "DELETE FROM epochs": "without a metric",
    "UPDATE epochs SET \"values\" = '{}' WHERE rowid = 1": "has learned other things",
    "UPDATE trials SET test = '{}' WHERE position = 1 AND rowid < 4": "has learned other things",
    "DELETE FROM events WHERE number = 2": "its numbers have gaps",
    "UPDATE events SET data = json_set(data, '$.status', 'succeeded')": "has succeeded 2 times",
    "UPDATE trials SET status = 'running'": "has not ended: running",
    "UPDATE trials SET token = 'x', owner = 'y'": "is still leased to y",
    "UPDATE jobs SET stage = 'finalising'": "stands in the stage finalising",
    "UPDATE trials SET error = json_object('failure', 'internal')": "has succeeded with an error",
    "UPDATE trials SET status = 'failed', error = json_object('failure', 'internal')": "a reason",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two equal jobs, which have ended well."""
    path = tmp_path_factory.mktemp("books") / "whole.db"
    database = Database(f"sqlite:///{path}")
    JobRow.metadata.create_all(database.engine)
    for job_id in [ready_job(database), ready_job(database)]:
        with database.write() as session:
            session.execute(update(JobRow).where(JobRow.id == job_id).values(tags={"equals": "a"}))
        while trial := claim(database):
            for epoch in (1, 2):
                row = EpochRow(
                    trial_id=trial.id,
                    phase="all",
                    phase_index=0,
                    epoch=epoch,
                    split="train",
                    values={"loss": 1 / epoch, "seconds": hash(trial.id)},
                )
                with database.write() as session:
                    work.record_progress(session, trial, [row], progress=epoch / 2)
            finish(database, trial, test={"accuracy": 0.5})
        with database.write() as session:
            job = work.claim_finalisation(session, job_id, "w", 60)
            assert job is not None
        with database.write() as session:
            work.finish_job(session, job, [])
    database.dispose()
    return path


@pytest.fixture
def url(whole: Path, tmp_path: Path) -> str:
    return f"sqlite:///{copyfile(whole, tmp_path / 'books.db')}"


def test_what_ended_well_is_not_complained_of(url: str) -> None:
    assert Books.of(url).complaints(()) == []
    assert set(Books.of(url).attempts().values()) == {1}


@pytest.mark.parametrize(("harm", "said"), HARM.items())
def test_each_harm_is_complained_of(url: str, harm: str, said: str) -> None:
    database = Database(url)
    with database.write() as session:
        session.execute(text(harm))
    database.dispose()
    assert any(said in complaint for complaint in Books.of(url).complaints(()))


def test_a_reason_that_was_given_is_accepted(url: str) -> None:
    database = Database(url)
    failed = "UPDATE trials SET status = 'failed', error = json_object('failure', 'disk_full')"
    with database.write() as session:
        session.execute(text(f"{failed} WHERE position = 1"))
        session.execute(
            text(
                "UPDATE events SET data = json_set(data, '$.status', 'failed') WHERE kind = 'trial'"
            )
        )
        session.execute(text("UPDATE trials SET status = 'cancelled' WHERE position != 1"))
    database.dispose()
    assert Books.of(url).complaints([FailureCode.DISK_FULL]) == []
    assert Books.of(url).complaints([FailureCode.STORAGE_FAILED]) != []
