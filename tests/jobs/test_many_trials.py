"""A job of thousands of trials costs as many statements as one of a dozen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event, update

from app.database import Database, now
from app.errors import FailureCode, WorkFailure
from app.jobs import lifecycle, trial_rows, work
from app.jobs.presenting import present_job
from app.messages import Message
from app.tables.jobs import EpochRow, JobRow, TrialRow
from tests.jobs.factories import add_dataset, add_job, claim, finish, job_of, must_claim, trials_of
from tests.jobs.requests import problem, submit

SEEDS = 100
BUDGETS = [None, *range(1, 16)]  # labels per class: 1 + 2 * 100 * 16 trials
FEW = 40


@contextmanager
def in_few(database: Database) -> Iterator[None]:
    """In few statements (one with many rows counts once), and with few trials as objects."""
    seen: list[str] = []

    def note_statement(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    def note_object(trial: TrialRow, *_: Any) -> None:
        seen.append(trial.__tablename__)

    listeners = [
        (database.engine, "before_cursor_execute", note_statement),
        (TrialRow, "init", note_object),
        (TrialRow, "load", note_object),
    ]
    for listener in listeners:
        event.listen(*listener)
    try:
        yield
    finally:
        for listener in listeners:
            event.remove(*listener)
    assert len(seen) < FEW


@pytest.fixture
def steer(database: Database) -> Callable[..., None]:
    """`steer(what, job_id)`, in few statements."""

    def do(what: Callable[..., Any], *arguments: Any) -> None:
        with in_few(database), database.write() as session:
            what(session, *arguments)

    return do


def test_whatever_happens_to_it(database: Database, steer: Callable[..., None]) -> None:
    datasets = add_dataset(database), add_dataset(database)
    with in_few(database):
        job_id = add_job(database, *datasets, seeds=SEEDS, learning_curve=BUDGETS)
    count = len(trials_of(database, job_id))
    assert count == 1 + 2 * SEEDS * len(BUDGETS)

    with in_few(database):
        finish(database, must_claim(database), weights="w")
    assert {trial.status for trial in trials_of(database, job_id)[1:]} == {"queued"}
    finish(database, must_claim(database))
    must_claim(database)
    for what in (lifecycle.advance, lifecycle.pause, lifecycle.resume):
        steer(what, job_id)
    with in_few(database), database.read() as session:
        shown = present_job(session, session.get_one(JobRow, job_id))
    assert shown.trials == {"succeeded": 2, "running": 1, "queued": count - 3}
    assert shown.eta_seconds is not None
    steer(lifecycle.cancel, job_id)
    assert {trial.status for trial in trials_of(database, job_id)[2:]} == {"cancelled"}


def test_one_failure_that_all_wait_for_and_a_retry(
    database: Database, steer: Callable[..., None]
) -> None:
    datasets = add_dataset(database), add_dataset(database)
    curve = {"learning_curve": BUDGETS, "baseline": False}
    job_id = add_job(database, *datasets, seeds=SEEDS, **curve)
    lost = WorkFailure(FailureCode.STORAGE_FAILED, "gone")
    steer(work.fail_trial, must_claim(database), lost)
    first, *others = trials_of(database, job_id)
    assert job_of(database, job_id).error == first.error == lost.as_json()
    codes = {trial.error["failure"] for trial in others if trial.error}
    assert codes == {FailureCode.DEPENDENCY_FAILED}
    steer(lifecycle.retry, job_id)
    first, *others = trials_of(database, job_id)
    assert (first.status, first.error, first.attempt) == ("queued", None, 0)
    assert {(trial.status, trial.error) for trial in others} == {("waiting", None)}


def test_more_messages_than_children_could_take_are_not_sent(database_url: str) -> None:
    sent: list[Message] = []
    database = Database(database_url, sent.append)
    TrialRow.metadata.create_all(database.engine)
    datasets = add_dataset(database), add_dataset(database)
    job_id = add_job(database, *datasets, seeds=SEEDS)
    queued = [trial.id for trial in trials_of(database, job_id) if trial.status == "queued"]
    assert len(queued) == 1 + SEEDS > len(sent) == trial_rows.WAKE_UPS
    for _ in queued:  # a child that is woken takes all of them
        assert claim(database) is not None
    database.dispose()


def test_trials_are_paged_in_the_order_of_the_plan(
    client: httpx.Client, body: dict[str, Any]
) -> None:
    body["evaluation"] = {"seeds": 4}
    path, found = f"/v1/jobs/{submit(client, body)}/trials", []
    params: dict[str, Any] = {"limit": 4}
    while True:
        page = client.get(path, params=params).json()
        found += page["data"]
        if not page["has_more"]:
            assert page["next"] is None
            break
        assert len(page["data"]) == 4
        params["after"] = page["next"]
    assert [each["arm"] for each in found] == ["pretrain", *["scratch", "fine_tune"] * 4]
    assert [each["seed"] for each in found[1:]] == [0, 0, 1, 1, 2, 2, 3, 3]
    of_arm = client.get(path, params={"arm": "scratch", "limit": 3, "after": found[1]["id"]}).json()
    assert [each["seed"] for each in of_arm["data"]] == [1, 2, 3]
    assert not of_arm["has_more"]
    other = client.get(f"/v1/jobs/{submit(client, body)}/trials").json()["data"][0]["id"]
    for tail in ("trials", "metrics"):
        answer = client.get(path.replace("trials", tail), params={"after": other})
        assert problem(answer, 422, "unknown_cursor")["errors"][0]["parameter"] == "after"


def test_a_page_of_metrics_ends_before_it_grows_too_large(
    client: httpx.Client, body: dict[str, Any], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.jobs.epoch_metrics.MOST_EPOCHS", 5)
    body["evaluation"] = {"seeds": 2}
    path = f"/v1/jobs/{submit(client, body)}/metrics"
    trials = [each["id"] for each in client.get(path).json()["trials"]]
    with database.write() as session:
        for trial, epochs in zip(trials, (2, 3, 9, 0, 1), strict=True):
            for epoch in range(1, epochs + 1):
                place = {"phase": "finetune", "phase_index": 0, "epoch": epoch, "split": "train"}
                session.add(EpochRow(trial_id=trial, values={"loss": 1 / epoch}, **place))
    pages, params = [], {}
    while True:
        page = client.get(path, params=params).json()
        pages.append([(each["id"], len(each["epochs"])) for each in page["trials"]])
        if not page["has_more"]:
            break
        params["after"] = page["next"]
    sizes = [[(0, 2), (1, 3)], [(2, 9)], [(3, 0), (4, 1)]]
    assert pages == [[(trials[place], count) for place, count in page] for page in sizes]
    table = client.get(path, headers={"Accept": "text/csv"}).text.splitlines()
    lines = [trials[place] for page in sizes for place, count in page for _ in range(count)]
    assert [line.split(",")[0] for line in table[1:]] == lines


def test_the_latest_trials_tell_how_long_the_others_take(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those before them, ten times as slow, are not read."""
    monkeypatch.setattr("app.jobs.repository.WITNESSES", 3)
    job_id = add_job(database, add_dataset(database), add_dataset(database), seeds=4)
    for number in range(5):  # the pretraining, and two seeds of two arms
        trial = must_claim(database)
        finish(database, trial, seconds=100.0 if number < 2 else 10.0, weights="w")
    with database.write() as session:
        session.execute(update(JobRow).values(status="running", started_at=now()))
    with database.read() as session:
        left = present_job(session, session.get_one(JobRow, job_id)).eta_seconds
    assert left == pytest.approx(4 * 10 + 5)
