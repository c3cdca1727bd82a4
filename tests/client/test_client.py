"""The client against the real API. No worker runs: jobs wait until they are cancelled."""

import time
from threading import Thread, Timer

import numpy as np
import pytest

from app.client import ApiError, Client, Event, Unreachable
from app.database import Database
from app.jobs import work
from tests.client.jobs import COUNTED
from tests.jobs.factories import add_dataset, add_job, finish, must_claim


@pytest.fixture
def letters(tmp_path):
    path = tmp_path / "letters.npz"
    np.savez(path, x=np.zeros((20, 4, 4), np.uint8), y=np.arange(20) % 2)
    return path


def test_trials_and_metrics_come_page_by_page(client):
    job = client.jobs.submit(COUNTED | {"evaluation": {"seeds": 50}})
    trials = [trial.id for trial in client.jobs.trials(job.id)]
    assert len(trials) == len(set(trials)) == 151
    assert [trial.id for trial in client.jobs.metrics(job.id).trials] == trials
    assert len(client.jobs.metrics(job.id, arm="lp_ft").trials) == 50


def test_a_jobs_life(client):
    job = client.jobs.submit(COUNTED)
    assert job.status == "queued"
    assert client.jobs.get(job.id).name == COUNTED["name"]
    assert client.jobs.pause(job.id).status == "paused"
    assert client.jobs.resume(job.id).status == "queued"
    assert len(client.jobs.trials(job.id)) == 16
    assert len(client.jobs.metrics(job.id, arm="lp_ft").trials) == 5
    assert client.jobs.metrics_csv(job.id).startswith("trial,arm,seed")
    with pytest.raises(ApiError, match="no_report"):
        client.jobs.report(job.id)
    assert client.jobs.cancel(job.id).status == "cancelled"
    with pytest.raises(ApiError, match="job_ended"):
        client.jobs.retry(job.id)
    client.jobs.delete(job.id)
    with pytest.raises(ApiError) as caught:
        client.jobs.get(job.id)
    assert caught.value.status == 404


def test_a_plan_starts_nothing(client):
    plan = client.jobs.validate(COUNTED)
    assert [trial.role for trial in plan.trials][:2] == ["pretrain", "baseline"]
    assert list(client.jobs.list()) == []


def test_what_is_wrong_is_named(client):
    with pytest.raises(ApiError) as caught:
        client.jobs.submit({**COUNTED, "strategy": "lp_ft"})
    assert caught.value.errors[0]["pointer"] == "#/strategy"


def test_the_same_key_makes_one_job(client):
    first = client.jobs.submit(COUNTED, idempotency_key="once")
    second = client.jobs.submit(COUNTED, idempotency_key="once")
    assert first.id == second.id
    assert len(list(client.jobs.list())) == 1


def test_lists_run_over_their_pages(client):
    made = [client.jobs.submit({**COUNTED, "evaluation": {"seeds": 2}}).id for _ in range(101)]
    assert [job.id for job in client.jobs.list()] == made[::-1]
    assert [job.id for job in client.jobs.list(status="running")] == []


def test_an_upload_tells_how_far_it_is(client, letters):
    seen: list[tuple[int, int]] = []
    dataset = client.datasets.upload([letters], on_progress=lambda *now: seen.append(now))
    assert (dataset.name, dataset.status) == ("letters", "ingesting")
    assert seen[-1] == (letters.stat().st_size, letters.stat().st_size)
    assert [each.id for each in client.datasets.list()] == [dataset.id]
    assert [each.id for each in client.datasets.list("ingesting")] == [dataset.id]
    assert list(client.datasets.list(status="ready")) == []
    client.datasets.delete(dataset.id)
    with pytest.raises(ApiError):
        client.datasets.get(dataset.id)


def test_the_catalogue(client):
    assert "catalog:digits" in {entry.reference for entry in client.datasets.catalogue()}
    dataset = client.datasets.from_catalogue("catalog:digits")
    assert client.datasets.from_catalogue("catalog:digits").id == dataset.id
    with pytest.raises(ApiError, match="expected"):
        client.datasets.from_catalogue("catalog:nothing")


def test_keys(client, api):
    made = client.keys.create("mine", ["admin"])
    with Client(api.url, api_key=made.key) as holder:
        assert [key.name for key in holder.keys.list()] == ["mine"]
        second = holder.keys.create("second", ["read"])
        holder.keys.revoke(second.id)
    with Client(api.url, api_key=second.key) as revoked, pytest.raises(ApiError) as caught:
        list(revoked.jobs.list())
    assert caught.value.status == 401


def test_a_key_that_is_no_id_is_no_other_path(client):
    for wrong in ("..", "a/b", "key_nothing"):
        with pytest.raises(ApiError) as caught:
            client.keys.revoke(wrong)
        assert caught.value.status == 404


def test_no_models_and_no_deployments_yet(client):
    assert list(client.models.list()) == list(client.deployments.list()) == []
    with pytest.raises(ApiError):
        client.deployments.point("digits", "mdl_1")
    with pytest.raises(ApiError):
        client.deployments.predict("digits", [[[0]]])


def test_waiting_follows_the_events(client, api):
    job = client.jobs.submit(COUNTED)
    seen: list[Event] = []

    def cancel_at_the_first(_, event):
        if event and not seen:
            with Client(api.url, api_key="") as other:
                other.jobs.cancel(job.id)
        seen.extend([event] if event else [])

    assert client.jobs.wait(job.id, cancel_at_the_first).status == "cancelled"
    assert [event.data["status"] for event in seen] == ["queued", "cancelled"]
    assert [event.number for event in client.jobs.events(job.id, after="1")] == ["2"]


def test_waiting_brings_a_cancelled_jobs_report(client, settings):
    """The worker's steps are done by hand."""
    database = Database(settings.database)
    source, target = (add_dataset(database, project="default") for _ in range(2))
    job_id = add_job(database, source, target, project="default")
    for _ in range(2):
        finish(database, must_claim(database))
    assert client.jobs.cancel(job_id).stage == "finalising"

    def report():
        with database.write() as session:
            job = work.claim_finalisation(session, job_id, "w", 60)
            work.finish_job(session, job, [], report={})

    later = Timer(0.5, report)
    later.start()
    ended = client.jobs.wait(job_id)
    later.join()
    assert (ended.status, ended.stage) == ("cancelled", "ended")
    assert ended.report == f"/v1/jobs/{job_id}/report"
    database.dispose()


def test_waiting_survives_a_restart_of_the_api(client, api):
    job = client.jobs.submit(COUNTED)
    seen: list[str] = []
    ended = []

    def wait():
        with Client(api.url, api_key="") as other:
            note = lambda _, event: seen.append(event.number) if event else None  # noqa: E731
            ended.append(other.jobs.wait(job.id, note))

    waiting = Thread(target=wait)
    waiting.start()
    while not seen:
        time.sleep(0.01)
    api.stop()
    time.sleep(0.5)
    api.start()
    client.jobs.cancel(job.id)
    waiting.join()
    assert ended[0].status == "cancelled"
    assert len(seen) == len(set(seen))  # no event was told twice


def test_waiting_for_an_api_that_stays_away_ends(client, api):
    job = client.jobs.submit(COUNTED)
    api.stop()
    with pytest.raises(Unreachable):
        client.jobs.wait(job.id, patience_seconds=0.5)
    api.start()


def test_waiting_for_no_job_is_a_problem(client):
    with pytest.raises(ApiError, match="404"):
        client.jobs.wait("job_nothing")
