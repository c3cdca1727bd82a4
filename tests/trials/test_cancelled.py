"""A job that is cancelled when some of its trials have results."""

import pytest

from app.jobs import lifecycle
from app.tables.jobs import JobRow
from tests.trials.conftest import AddDataset
from tests.trials.jobs import page_of, report_of, submit
from worker.evaluation.archive import read_arrays
from worker.evaluation.archive import report_of as recomputed
from worker.machine.context import WorkerContext
from worker.process import runner
from worker.trials.finalising import _read


@pytest.mark.slow
def test_its_report_compares_what_had_finished(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    """Pretraining and the first seed's trials of both arms; the second seed is cancelled."""
    job_id = submit(
        context,
        [{"dataset": add_dataset(1)}],
        add_dataset(2),
        deploy={"name": "never", "when": "always"},
    )
    done: list[str] = []
    claim = runner._claim

    def few(where: WorkerContext, owner: str) -> object:
        if len(done) == 3:
            with where.database.write() as session:
                lifecycle.cancel(session, job_id)
            return None
        trial = claim(where, owner)
        done.append(trial.id if trial else "")
        return trial

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runner, "_claim", few)
        runner.train(context, "worker")
    with context.database.read() as session:
        job = session.get_one(JobRow, job_id)
    assert (job.status, job.stage, job.report) == ("cancelled", "finalising", None)

    runner.finalise(context, job_id, "worker")
    with context.database.read() as session:
        job = session.get_one(JobRow, job_id)
    assert (job.status, job.stage, job.error) == ("cancelled", "ended", None)
    assert (job.model_id, job.deployment) == (None, None)
    report = report_of(job)
    assert report.stop_reason == "cancelled"
    assert {(each.arm, tuple(each.seeds), each.code) for each in report.missing} == {
        ("scratch", (1,), "cancelled"),
        ("fine_tune", (1,), "cancelled"),
    }
    assert set(report.arms) == {"scratch", "fine_tune"}
    assert report.trials_failed == 0
    assert "was cancelled" in page_of(context, job)
    evidence = _read(context, job, lambda: None).evidence
    again = recomputed(evidence, lambda ref: read_arrays(context.storage.local(ref)))
    assert again.model_dump(mode="json") == job.report
