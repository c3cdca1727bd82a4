"""Jobs that are deleted while somebody works on them, on both databases."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session

from app.database import Database
from app.errors import FailureCode, Fenced, WorkFailure
from app.jobs import lifecycle, recovery, work
from app.jobs.features import tell_features
from app.settings import Settings
from app.spec.figures import Conditions
from app.tables.jobs import TrialRow
from tests.jobs.factories import must_claim, ready_job
from tests.jobs.requests import problem, submit
from tests.leases import let_pass

CONDITIONS = Conditions(device="CPU", precision="float32", loops=["xla"])
FAILURE = WorkFailure(FailureCode.DIVERGED, "nan", stage="head")
WRITES: dict[str, Callable[[Session, TrialRow], None]] = {
    "progress": lambda session, trial: work.record_progress(session, trial, [], progress=0.5),
    "release": work.release_trial,
    "note": lambda session, trial: work.note_trial(session, trial, ["n"], CONDITIONS),
    "finish": work.finish_trial,
    "fail": lambda session, trial: work.fail_trial(session, trial, FAILURE),
    "over": lambda session, trial: work.start_over(session, trial, FAILURE),
    "features": lambda session, trial: tell_features(session, trial, {}),
}


def delete(database: Database, job_id: str) -> None:
    with database.write() as session:
        lifecycle.cancel(session, job_id)
        session.delete(lifecycle.lock(session, job_id))


@pytest.mark.parametrize("name", WRITES)
def test_whoever_trains_finds_its_lease_gone(database: Database, name: str) -> None:
    job_id = ready_job(database)
    trial = must_claim(database)
    delete(database, job_id)
    with pytest.raises(Fenced), database.write() as session:
        WRITES[name](session, trial)


@contextmanager
def being_deleted(database: Database, job_id: str) -> Iterator[None]:
    """The deletion is committed a moment after the block's threads have begun."""
    with database.write() as session:
        session.delete(lifecycle.lock(session, job_id))
        session.flush()
        yield
        threading.Event().wait(0.5)


@pytest.mark.parametrize(
    "asked", [("DELETE", ""), ("POST", "/cancel"), ("POST", "/pause"), ("POST", "/retry")]
)
def test_another_request_at_the_same_moment_finds_no_job(
    client: httpx.Client, database: Database, body: dict[str, Any], asked: tuple[str, str]
) -> None:
    method, action = asked
    job_id = submit(client, body)
    client.post(f"/v1/jobs/{job_id}/cancel")
    with ThreadPoolExecutor(1) as others:
        with being_deleted(database, job_id):
            answer: Future[httpx.Response] = others.submit(
                client.request, method, f"/v1/jobs/{job_id}{action}"
            )
        problem(answer.result(), 404, "job_not_found")


def test_a_round_of_repairs_goes_on_beside_it(database: Database, settings: Settings) -> None:
    """On SQLite, where one writes at a time, the round comes before or after."""
    gone, kept = ready_job(database), ready_job(database)
    trials = [must_claim(database) for _ in range(4)]
    let_pass(database, 61)
    with ThreadPoolExecutor(1) as others:
        with being_deleted(database, gone):
            round_of_repairs = others.submit(recovery.recover, database, settings)
        round_of_repairs.result()
    with database.read() as session:
        left = [session.get(TrialRow, trial.id) for trial in trials]
    assert [(each.job_id, each.status) for each in left if each] == [(kept, "queued")] * 2
