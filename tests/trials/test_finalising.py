"""The end of a job, when the database goes away in the middle of it."""

import pytest
from sqlalchemy import text, update

from app.tables.jobs import JobRow
from tests.trials.conftest import AddDataset
from tests.trials.jobs import submit
from worker.machine.context import WorkerContext
from worker.process import runner

CUT = """
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
CREATE TRIGGER cut BEFORE UPDATE ON jobs FOR EACH ROW WHEN (NEW.stage = 'ended')
EXECUTE FUNCTION cut()
"""


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_ends_as_the_job_does(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    """The job is not failed for it: whoever takes its lease finalises it."""
    job_id = submit(context, [{"dataset": add_dataset(1)}], add_dataset(2))
    runner.train(context, "worker")

    def job() -> JobRow:
        with context.database.read() as session:
            return session.get_one(JobRow, job_id)

    with context.database.write() as session:
        session.execute(text(CUT))
    runner.finalise(context, job_id, "worker")
    assert (job().stage, job().error) == ("finalising", None)
    with context.database.write() as session:
        session.execute(text("DROP TRIGGER cut ON jobs"))
        session.execute(update(JobRow).values(lease_until=0.0))
    runner.finalise(context, job_id, "another")
    assert (job().status, job().error) == ("succeeded", None)
