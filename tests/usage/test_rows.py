"""Which rows hold their files, and which rows go with them."""

import threading

import pytest

from app.database import Database, now
from app.datasets import repository as datasets
from app.jobs import lifecycle
from app.jobs import repository as jobs
from app.jobs.names.repository import source_names
from app.models import repository as models
from app.settings import Settings
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow, TrialRow
from app.tables.models import ModelRow
from app.usage import repository
from app.usage.sweep import sweep
from tests.jobs.factories import add_dataset, ready_job, trials_of
from tests.schemas import SIGNATURE
from tests.usage.conftest import Put
from tests.usage.test_sweep import change, is_there


def test_a_file_goes_with_the_last_row_that_names_it(
    database: Database, settings: Settings, put: Put
) -> None:
    shared = put("two uploads of the same")
    twins = [add_dataset(database), add_dataset(database)]
    for twin in twins:
        change(database, twin, arrays={"x_train": shared})
    for twin in twins:
        sweep(database, settings)
        assert is_there(settings, shared)
        with database.write() as session:
            datasets.delete(session, datasets.find(session, "p", twin))
    sweep(database, settings)
    assert not is_there(settings, shared)
    with database.read() as session:
        assert session.get(DatasetRow, twins[0]) is None


def test_a_deleted_dataset_that_a_job_shows_keeps_its_classes_alone(
    database: Database, settings: Settings, put: Put
) -> None:
    job_id = ready_job(database)
    with database.read() as session:
        target = session.get_one(JobRow, job_id).target_id
    change(database, target, arrays={"x": put("x")}, profile={"warnings": []}, spec={"name": "n"})
    with database.write() as session:
        lifecycle.cancel(session, job_id)
        datasets.delete(session, datasets.find(session, "p", target))
    assert len(sweep(database, settings, adopts=True).files) == 1
    with database.read() as session:
        row = session.get_one(DatasetRow, target)
    assert row.schema
    assert (row.files, row.arrays, row.spec, row.profile) == ([], {}, {}, None)
    with database.write() as session:
        session.delete(session.get_one(JobRow, job_id))
    assert sweep(database, settings).rows == 1


@pytest.mark.parametrize(("status", "stays"), [("failed", True), ("cancelled", False)])
def test_checkpoints_stay_where_a_retry_goes_on_from_them(
    database: Database, settings: Settings, put: Put, status: str, stays: bool
) -> None:
    job_id = ready_job(database)
    trial = trials_of(database, job_id)[0]
    ref = put("state", checkpoint=f"checkpoints/{trial.id}/t-1.npz")
    change(database, trial.id, TrialRow, checkpoint=ref)
    change(database, job_id, JobRow, status=status)
    sweep(database, settings, adopts=True)
    assert is_there(settings, ref) is stays
    assert trials_of(database, job_id)[0].checkpoint == (ref if stays else None)


def test_weights_that_another_job_takes_over_are_not_deleted_meanwhile(database: Database) -> None:
    """Else a sweep between the two commits would find them named by nobody."""
    first = ready_job(database)
    trial = trials_of(database, first)[0]
    change(database, trial.id, TrialRow, content_key="k", weights="sha256/ab/w.npz")

    def delete_first() -> None:
        with database.write() as session:
            session.delete(session.get_one(JobRow, first))

    deletion = threading.Thread(target=delete_first)
    with database.write() as session:
        assert jobs.pretrained(session, "p", "k")
        deletion.start()
        deletion.join(0.3)
        assert deletion.is_alive()
    deletion.join()
    with database.write() as session:
        assert jobs.pretrained(session, "p", "k") is None


def test_a_deleted_models_row_goes(database: Database, settings: Settings, put: Put) -> None:
    with database.write() as session:
        row = models.add(session, "p", "m", None, None, {"onnx": put("graph")}, SIGNATURE, {})
        row.deleted_at = now()
    freed = sweep(database, settings, adopts=True)
    assert (freed.rows, len(freed.files)) == (1, 1)


def test_a_databases_name_is_made_once(database: Database) -> None:
    names = []

    def name() -> None:
        with database.write() as session:
            names.append(repository.name_installation(session))

    threads = [threading.Thread(target=name) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 4
    assert len(set(names)) == 1


def test_a_deleted_model_that_a_job_started_from_keeps_its_name_alone(
    database: Database, settings: Settings, put: Put
) -> None:
    job_id, files = ready_job(database), {"weights": put("weights")}
    with database.write() as session:
        row = models.add(session, "p", "digits", None, None, files, SIGNATURE, {"arm": "scratch"})
        job = session.get_one(JobRow, job_id)
        job.source_ids = [row.id]
        lifecycle.cancel(session, job_id)
        models.remove(session, row)
    freed = sweep(database, settings, adopts=True)
    assert (freed.rows, len(freed.files)) == (0, 1)
    with database.read() as session:
        assert source_names(session, session.get_one(JobRow, job_id)) == ["digits"]
        kept = session.get_one(ModelRow, row.id)
        assert (kept.files, kept.card) == ({}, {})
    with database.write() as session:
        session.delete(session.get_one(JobRow, job_id))
    assert sweep(database, settings).rows == 1
