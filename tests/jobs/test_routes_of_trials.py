"""Trials and what is done to a job, over HTTP."""

from typing import Any

import httpx
import pytest
from sqlalchemy import update

from app.access import repository as keys
from app.database import Database
from app.errors import FailureCode, WorkFailure
from app.identifiers import new_id
from app.jobs import work
from app.tables.jobs import JobRow, TrialRow
from tests.jobs.factories import claim, finish, must_claim
from tests.jobs.requests import LOCAL, problem, submit


def test_one_trial(client: httpx.Client, body: dict[str, Any]) -> None:
    job_id, other = submit(client, body), submit(client, body)
    for trial in client.get(f"/v1/jobs/{job_id}/trials").json()["data"]:
        assert client.get(f"/v1/jobs/{job_id}/trials/{trial['id']}").json() == trial
        assert trial["reused_from"] is None
        answer = client.get(f"/v1/jobs/{other}/trials/{trial['id']}")
        problem(answer, 404, "trial_not_found")
    problem(client.get(f"/v1/jobs/{job_id}/trials/{new_id('trial')}"), 404, "trial_not_found")


def plan_ten_seconds_each(database: Database) -> None:
    with database.write() as session:
        session.execute(update(TrialRow).values(planned_seconds=10.0))


def test_progress_and_the_time_left(
    client: httpx.Client, body: dict[str, Any], database: Database
) -> None:
    """Three trials of 10 planned seconds each, and 5 s for the report."""
    path = f"/v1/jobs/{submit(client, body)}"
    plan_ten_seconds_each(database)
    first = must_claim(database)
    answer = client.get(path)
    assert (answer.json()["progress"], answer.json()["eta_seconds"]) == (0, 35)
    with database.write() as session:
        work.record_progress(session, first, (), progress=0.5, seconds=2.0)
    assert client.get(path).json()["progress"] == round(0.5 / 3, 4)
    finish(database, first, seconds=4.0)
    second = must_claim(database)
    with database.write() as session:
        work.record_progress(session, second, (), progress=0.5, seconds=1.0)
    answer = client.get(path)
    job = answer.json()
    assert job["progress"] == 0.5
    assert job["eta_seconds"] == 5 + 1.5 * 10 * 0.2  # its own pace: 1 s for 5 planned ones
    etag = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(path, headers=etag).status_code == 304
    must_claim(database)
    assert client.get(path).json()["eta_seconds"] == 5 + 2  # two at once; the longer takes 2 s
    (listed,) = client.get("/v1/jobs").json()["data"]
    assert listed["eta_seconds"] == 7


def test_the_estimate_is_a_shipped_one_until_this_installation_has_measured(
    client: httpx.Client, body: dict[str, Any], database: Database
) -> None:
    plan = client.post("/v1/jobs:validate", json=body).json()
    shipped = plan["estimated_seconds"]
    assert plan["estimate_basis"] == "shipped"
    assert shipped == pytest.approx(5 + sum(each["seconds"] for each in plan["trials"]), abs=0.1)
    assert all(each["seconds"] > 0 for each in plan["trials"])

    path = f"/v1/jobs/{submit(client, body)}"
    assert client.get(path).json()["eta_seconds"] is None  # it waits, who knows how long
    first = must_claim(database)
    assert client.get(path).json()["eta_seconds"] == pytest.approx(shipped, abs=0.1)
    finish(database, first, seconds=3 * first.planned_seconds)  # all takes three times as long
    while trial := claim(database):
        finish(database, trial, seconds=3 * trial.planned_seconds)
    plan = client.post("/v1/jobs:validate", json=body).json()
    assert plan["estimate_basis"] == "measured"
    assert plan["estimated_seconds"] - 5 == pytest.approx(3 * (shipped - 5), abs=0.3)


def test_a_budget_bounds_the_estimate(client: httpx.Client, body: dict[str, Any]) -> None:
    long = {**body, "training": {"epochs": 100_000}, "budget_seconds": 60}
    plan = client.post("/v1/jobs:validate", json=long).json()
    assert plan["estimated_seconds"] == 60 + 5


def test_a_cancelled_job_tells_what_it_had_done(
    client: httpx.Client, body: dict[str, Any], database: Database
) -> None:
    path = f"/v1/jobs/{submit(client, body)}"
    plan_ten_seconds_each(database)
    finish(database, must_claim(database), seconds=1.0)
    with database.write() as session:
        work.record_progress(session, must_claim(database), (), progress=0.4, seconds=1.0)
    job = client.post(f"{path}/cancel").json()
    assert (job["status"], job["stage"], job["report"]) == ("cancelled", "ended", None)
    assert job["progress"] == round(1.4 / 3, 4)
    assert job["eta_seconds"] == 0
    assert job["trials"] == {"succeeded": 1, "cancelled": 2}
    errors = [each["error"] for each in client.get(f"{path}/trials").json()["data"]]
    assert errors[0] is None
    assert {error["code"] for error in errors[1:]} == {"cancelled"}


def test_a_cancelled_jobs_report(
    client: httpx.Client, body: dict[str, Any], database: Database
) -> None:
    """Whatever the report says: here a worker's last step is done by hand."""
    job_id = submit(client, body)
    path = f"/v1/jobs/{job_id}"
    for _ in range(2):
        finish(database, must_claim(database), seconds=1.0)
    job = client.post(f"{path}/cancel").json()
    assert (job["status"], job["stage"], job["report"]) == ("cancelled", "finalising", None)
    problem(client.get(f"{path}/report"), 404, "no_report")
    assert client.post(f"{path}/cancel").json() == job
    with database.write() as session:
        claimed = work.claim_finalisation(session, job_id, "w", 60)
    assert claimed is not None
    assert client.post(f"{path}/cancel").json()["status"] == "cancelled"  # disturbs nobody
    with database.write() as session:
        work.finish_job(session, claimed, [], report={"verdict": "no_evidence"})
    job = client.get(path).json()
    assert (job["status"], job["stage"]) == ("cancelled", "ended")
    assert job["report"] == f"{path}/report"
    assert client.get(job["report"]).json() == {"verdict": "no_evidence"}
    (listed,) = client.get("/v1/jobs").json()["data"]
    assert listed["report"] == job["report"]


def test_a_job_that_its_budget_stopped(
    client: httpx.Client, body: dict[str, Any], database: Database
) -> None:
    path = f"/v1/jobs/{submit(client, {**body, 'budget_seconds': 3})}"
    assert client.get(path).json()["stop_reason"] is None
    finish(database, must_claim(database), seconds=3.5)
    job = client.get(path).json()
    assert (job["status"], job["stage"]) == ("running", "finalising")
    assert job["stop_reason"] == "budget"
    assert job["trials"] == {"succeeded": 1, "failed": 2}
    left = client.get(f"{path}/trials").json()["data"][1]
    assert left["error"]["code"] == "budget"
    assert left["error"]["param"] == "#/budget_seconds"


def test_a_failed_job_says_why_and_can_be_retried(
    client: httpx.Client, body: dict[str, Any], database: Database
) -> None:
    job_id = submit(client, body)
    failure = WorkFailure(FailureCode.DISK_FULL, "no space left on device", stage="pretrain")
    with database.write() as session:
        work.fail_trial(session, must_claim(database), failure)
    while trial := claim(database):
        finish(database, trial)
    job = client.get(f"/v1/jobs/{job_id}").json()
    assert (job["status"], job["error"]["code"]) == ("failed", "disk_full")
    assert job["error"]["stage"] == "pretrain"
    again = client.post(f"/v1/jobs/{job_id}/retry").json()
    assert (again["status"], again["error"]) == ("running", None)


def test_another_projects_job_is_not_there(
    client: httpx.Client, body: dict[str, Any], database: Database
) -> None:
    with database.write() as session:
        mine, theirs = (
            {"Authorization": f"Bearer {keys.create(session, name, name, ['read', 'write'])[1]}"}
            for name in (LOCAL, "other")
        )
    job_id = client.post("/v1/jobs", json=body, headers=mine).json()["id"]
    path = f"/v1/jobs/{job_id}"
    trial = client.get(f"{path}/trials", headers=mine).json()["data"][0]["id"]
    tails = ("", "/trials", f"/trials/{trial}", "/metrics", "/report", "/predictions", "/events")
    for tail in tails:
        problem(client.get(path + tail, headers=theirs), 404, "job_not_found")
    for verb in ("cancel", "pause", "resume", "retry"):
        problem(client.post(f"{path}/{verb}", headers=theirs), 404, "job_not_found")
    problem(client.delete(path, headers=theirs), 404, "job_not_found")
    assert client.get("/v1/jobs", headers=theirs).json()["data"] == []
    with database.read() as session:
        assert session.get_one(JobRow, job_id).status == "queued"
