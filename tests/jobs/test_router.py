"""/v1/jobs as clients see it."""

from typing import Any

import httpx

from app.database import Database, now
from app.jobs import work
from app.tables.jobs import EpochRow
from tests.jobs.factories import must_claim
from tests.jobs.requests import problem, spec, submit


def test_a_job_is_accepted(client: httpx.Client, body: dict[str, Any]) -> None:
    answer = client.post("/v1/jobs", json={**body, "tags": {"team": "letters"}})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert answer.headers["Retry-After"]
    assert job["status"] == "queued"
    assert job["trials"] == {"queued": 2, "waiting": 1}
    assert job["tags"] == {"team": "letters"}
    assert job["target"] == body["target"]["dataset"]
    assert client.get(answer.headers["Location"]).json()["id"] == job["id"]


def test_auto_is_resolved_with_reasons(client: httpx.Client, body: dict[str, Any]) -> None:
    plain = {name: body[name] for name in ("sources", "target")}
    job = client.post("/v1/jobs", json=plain).json()
    assert job["spec"]["model"]["backbone"] == "mlp"
    assert job["name"] == "letters to letters"  # the datasets' names
    assert [strategy["name"] for strategy in job["spec"]["strategies"]] == ["auto"]
    assert job["spec"]["strategies"][0]["portfolio"][0]["name"] == "lp_ft"
    assert {choice["field"] for choice in job["selection"]} == {"model.backbone", "strategies"}
    assert all(choice["reason"] for choice in job["selection"])


def test_the_same_key_makes_one_job(client: httpx.Client, body: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "once"}
    first, second = (client.post("/v1/jobs", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert second.headers["Location"] == first.headers["Location"]
    assert len(client.get("/v1/jobs").json()["data"]) == 1
    other = client.post("/v1/jobs", json={**body, "name": "other"}, headers=headers)
    problem(other, 422, "idempotency_key_reused")


def test_a_catalogue_dataset_is_taken_in_first(client: httpx.Client) -> None:
    body = spec("catalog:mnist_5k", "catalog:digits", model={"image_size": [16, 16]})
    plan = client.post("/v1/jobs:validate", json=body)
    assert plan.status_code == 200, plan.text
    assert client.get("/v1/datasets").json()["data"] == []
    job = client.post("/v1/jobs", json=body).json()
    assert job["trials"] == {"waiting": 3}
    origins = {one["origin"] for one in client.get("/v1/datasets").json()["data"]}
    assert origins == {"catalog:mnist_5k", "catalog:digits"}


def test_validating_shows_the_plan_and_starts_nothing(
    client: httpx.Client, body: dict[str, Any]
) -> None:
    plan = client.post("/v1/jobs:validate", json=body).json()
    assert [trial["arm"] for trial in plan["trials"]] == ["pretrain", "scratch", "fine_tune"]
    assert plan["steps"] == 3 * 10  # 36 items are one batch of 64 an epoch
    assert client.get("/v1/jobs").json()["data"] == []


def test_lists_are_pages_that_inserts_do_not_move(
    client: httpx.Client, body: dict[str, Any]
) -> None:
    jobs = [submit(client, body) for _ in range(3)]
    client.post(f"/v1/jobs/{jobs[0]}/cancel")
    page = client.get("/v1/jobs", params={"limit": 2}).json()
    assert page["has_more"] is True
    submit(client, body)
    rest = client.get("/v1/jobs", params={"limit": 2, "after": page["next"]}).json()
    seen = [job["id"] for job in page["data"] + rest["data"]]
    assert sorted(seen) == sorted(jobs)
    cancelled = client.get("/v1/jobs", params={"status": "cancelled"}).json()["data"]
    assert [job["id"] for job in cancelled] == [jobs[0]]


def test_polling_what_has_not_changed_costs_no_body(
    client: httpx.Client, body: dict[str, Any]
) -> None:
    path = f"/v1/jobs/{submit(client, body)}"
    etag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    client.post(f"{path}/pause")
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_steering_says_the_same_again_and_refuses_what_cannot_be(
    client: httpx.Client, body: dict[str, Any]
) -> None:
    path = f"/v1/jobs/{submit(client, body)}"
    for verb, status in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        for _ in range(2):
            answer = client.post(f"{path}/{verb}")
            assert (answer.status_code, answer.json()["status"]) == (200, status)
    for verb in ("pause", "resume", "retry"):
        found = problem(client.post(f"{path}/{verb}"), 409, "job_ended")
        assert "cancelled" in found["detail"]


def test_only_an_ended_job_can_be_deleted(client: httpx.Client, body: dict[str, Any]) -> None:
    path = f"/v1/jobs/{submit(client, body)}"
    problem(client.delete(path), 409, "job_not_ended")
    etag = client.get(path).headers["ETag"]
    client.post(f"{path}/cancel")
    problem(client.delete(path, headers={"If-Match": etag}), 412, "version_changed")
    etag = client.get(path).headers["ETag"]
    assert client.delete(path, headers={"If-Match": etag}).status_code == 204
    problem(client.get(path), 404, "job_not_found")


def test_trials_and_metrics(client: httpx.Client, body: dict[str, Any], database: Database) -> None:
    job_id = submit(client, body)
    trial, before = must_claim(database), now()
    rows = [
        EpochRow(
            trial_id=trial.id,
            phase="pretrain",
            phase_index=0,
            epoch=1,
            split=split,
            values={"loss": 0.5, "accuracy": 0.75},
        )
        for split in ("train", "validation")
    ]
    with database.write() as session:
        work.record_progress(session, trial, rows, progress=0.1)
    trials = client.get(f"/v1/jobs/{job_id}/trials").json()["data"]
    assert [one["status"] for one in trials] == ["running", "queued", "waiting"]
    assert trials[2]["depends_on"] == trials[0]["id"]
    first = client.get(f"/v1/jobs/{job_id}/trials", params={"limit": 2}).json()
    after = client.get(f"/v1/jobs/{job_id}/trials", params={"after": first["next"]}).json()
    assert first["data"] + after["data"] == trials
    assert (first["has_more"], after["has_more"]) == (True, False)
    path = f"/v1/jobs/{job_id}/metrics"
    (pretrain, *_) = client.get(path).json()["trials"]
    assert [epoch["split"] for epoch in pretrain["epochs"]] == ["train", "validation"]
    assert pretrain["epochs"][0]["accuracy"] == 0.75
    only = client.get(path, params={"arm": "scratch"}).json()["trials"]
    assert [one["arm"] for one in only] == ["scratch"]
    for since, count in ((before, 2), (now(), 0)):
        found = client.get(path, params={"since": since.isoformat()}).json()["trials"]
        assert sum(len(one["epochs"]) for one in found) == count
    table = client.get(path, headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[1].startswith(f"{trial.id},pretrain,0,,pretrain,1,train,0.5")
    problem(client.get(f"/v1/jobs/{job_id}/report"), 404, "no_report")


def test_both_forms_of_an_action_answer_and_one_is_documented(
    client: httpx.Client, body: dict[str, Any]
) -> None:
    plans = [
        client.post(f"/v1/jobs{form}", json=body).json() for form in ("/validate", ":validate")
    ]
    assert plans[0] == plans[1]
    assert plans[0]["trials"]
    job = f"/v1/jobs/{submit(client, {**body, 'name': 'at 12:30'})}"
    steps = {":pause": "paused", "/resume": "queued", "/pause": "paused", ":resume": "queued"}
    for form, status in {**steps, ":cancel": "cancelled", "/cancel": "cancelled"}.items():
        assert client.post(f"{job}{form}").json()["status"] == status
    assert client.post("/v1/jobs/at%2012:30:cancel").json()["status"] == "cancelled"
    documented = client.get("/openapi.json").json()["paths"]
    assert {"/v1/jobs/validate", "/v1/jobs/{job_id}/cancel"} <= set(documented)
    assert [path for path in documented if ":" in path] == ["/v1/models/{name}:predict"]
