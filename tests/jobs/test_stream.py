"""The job's story as Server-Sent Events."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from app.client.ktl.events import Event, events_of
from app.database import Database
from app.jobs import lifecycle, work
from tests.jobs.factories import add_dataset, add_job, finish, must_claim


def story(client: httpx.Client, job_id: str, after: str | None = None) -> list[Event]:
    headers = {"Last-Event-ID": after} if after else {}
    with client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        return list(events_of(answer))


def ended_job(database: Database) -> str:
    source, target = (add_dataset(database, project="default") for _ in range(2))
    job_id = add_job(database, source, target, project="default")
    finish(database, must_claim(database))
    with database.write() as session:
        lifecycle.cancel(session, job_id)
    return job_id


def test_it_ends_with_the_job_and_goes_on_from_anywhere(
    client: httpx.Client, database: Database
) -> None:
    job_id = ended_job(database)
    events = story(client, job_id)
    assert [int(event.number or 0) for event in events] == list(range(1, len(events) + 1))
    assert events[0].data["status"] == "queued"
    assert events[-1].data["status"] == "cancelled"
    assert {event.kind for event in events} == {"status", "trial"}
    assert story(client, job_id, after=events[1].number) == events[2:]
    assert story(client, job_id, after=events[-1].number) == []


def test_progress_is_told_of_the_moment_and_where_asked_for(
    client: httpx.Client, database: Database
) -> None:
    source, target = (add_dataset(database, project="default") for _ in range(2))
    job_id = add_job(database, source, target, project="default")
    trial = must_claim(database)

    def move() -> None:
        time.sleep(1.5)  # the stream has looked once
        with database.write() as session:
            work.record_progress(session, trial, (), progress=0.5, seconds=2.0)
        time.sleep(1.5)
        with database.write() as session:
            lifecycle.cancel(session, job_id)

    with ThreadPoolExecutor(1) as pool:
        moved = pool.submit(move)
        path = f"/v1/jobs/{job_id}/events"
        with client.stream("GET", path, params={"progress": True}) as answer:
            events = list(events_of(answer))
        moved.result()
    told = [event for event in events if event.kind == "progress"]
    assert told[0].number == ""
    assert told[0].data["progress"] == round(0.5 / 3, 4)
    assert told[0].data["trials"] == {"running": 1, "queued": 1, "waiting": 1}
    assert told[0].data["eta_seconds"] > 0
    assert {event.kind for event in story(client, job_id)} == {"status", "trial"}


def test_it_stays_until_a_cancelled_jobs_report_is_there(
    client: httpx.Client, database: Database
) -> None:
    source, target = (add_dataset(database, project="default") for _ in range(2))
    job_id = add_job(database, source, target, project="default")
    for _ in range(2):
        finish(database, must_claim(database))
    with database.write() as session:
        lifecycle.cancel(session, job_id)

    def report() -> None:
        time.sleep(0.5)
        with database.write() as session:
            job = work.claim_finalisation(session, job_id, "w", 60)
            assert job is not None
            work.finish_job(session, job, [("report", {"verdict": "no_evidence"})], report={})

    with ThreadPoolExecutor(1) as pool:
        reported = pool.submit(report)
        events = story(client, job_id)
        reported.result()
    assert [event.kind for event in events[-3:]] == ["status", "report", "status"]
    assert [events[place].data["stage"] for place in (-3, -1)] == ["finalising", "ended"]


def test_a_number_that_is_none(client: httpx.Client, database: Database) -> None:
    path = f"/v1/jobs/{ended_job(database)}/events"
    for number in ("yesterday", "-1", str(2**31), str(2**63), "9" * 5000):
        answer = client.get(path, headers={"Last-Event-ID": number})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_value")
        assert answer.json()["errors"][0]["parameter"] == "last-event-id"
    last = client.get(path, headers={"Last-Event-ID": str(2**31 - 1)})
    assert (last.status_code, last.text) == (200, "")
