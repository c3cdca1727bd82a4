"""The end of a job, when the database goes away in the middle of it, or its worker has to."""

import pytest
from sqlalchemy import text, update

from app.jobs import lifecycle, work
from app.tables.jobs import JobRow
from tests.trials.conftest import AddDataset
from tests.trials.jobs import submit
from worker.machine.context import WorkerContext
from worker.process import runner
from worker.training.setup import Signal
from worker.trials import finalising

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


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_training_of_the_finaliser_hears_that_it_has_to_end(
    context: WorkerContext, add_dataset: AddDataset, is_cancelled: bool
) -> None:
    """A worker that drains gives the job back, at no attempt's cost, and the next one ends it."""
    job_id = submit(
        context,
        [{"dataset": add_dataset(1)}],
        add_dataset(2),
        deploy={"name": "rows", "when": "always", "ensemble": "distill"},
    )
    runner.train(context, "worker")
    with context.database.write() as session:
        claimed = work.claim_finalisation(session, job_id, "worker", 60)
        assert claimed is not None
        if is_cancelled:
            lifecycle.cancel(session, job_id)
    finalising.run(context, claimed, lambda: Signal.STOP if is_cancelled else Signal.PAUSE)
    with context.database.read() as session:
        left = session.get_one(JobRow, job_id)
    assert (left.stage, left.token, left.attempt) == ("finalising", None, 0)
    assert (left.error, left.report, left.model_id) == (None, None, None)

    runner.finalise(context, job_id, "another")
    with context.database.read() as session:
        ended = session.get_one(JobRow, job_id)
    assert ended.status == ("cancelled" if is_cancelled else "succeeded")
    assert (ended.report is not None, ended.model_id is None) == (True, is_cancelled)
