"""A job of which much is to be said before its verdict."""

from app.jobs.page.page import render
from app.jobs.presenting import present_job
from app.tables.datasets import DatasetRow
from tests.trials.conftest import TEST, AddDataset
from tests.trials.jobs import report_of, run, submit
from worker.machine.context import WorkerContext

KNOWN = f"{TEST} test images stand in the training split too: the test is easier than it looks."


def test_what_is_doubtful_is_said_first_and_nothing_is_deployed(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    source, target = add_dataset(1), add_dataset(2)
    with context.database.write() as session:
        row = session.get_one(DatasetRow, target)
        duplicates = {"train": 0, "test": 0, "across_splits": TEST}
        row.profile = {"duplicates": duplicates, "warnings": [KNOWN]}
    deploy = {"name": "rows", "when": "beats_baseline"}
    job_id = submit(context, [{"dataset": source}], target, strategies=["lp_ft"], deploy=deploy)
    job, _ = run(context, job_id)
    report = report_of(job)
    assert report.reason.startswith(f"{TEST} of {TEST} test items stand in the training split too")
    assert (report.verdict, job.deployment) == ("no_evidence", None)
    assert f"target rows 2: {KNOWN.rstrip('.')}" in report.warnings
    assert any(warning.startswith("nothing is deployed as rows") for warning in report.warnings)
    assert report.reference is not None
    assert report.reference.majority["accuracy"] == 1 / 3
    scratch, lp_ft = report.arms["scratch"].cost, report.arms["lp_ft"].cost
    # 30 items, 1 of each of 3 classes held out: an epoch of 27 in batches of 16 is 2 steps
    assert (scratch.steps, scratch.head_steps) == (4, 0)
    assert lp_ft.steps == 4
    assert lp_ft.head_steps
    with context.database.read() as session:
        page = render(present_job(session, job), report)
    assert "always answering a 0.3333" in page
