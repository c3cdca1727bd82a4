"""Jobs over HTTP, whose trials and end run in this process."""

from typing import Any

import httpx

from worker.machine.context import WorkerContext
from worker.process import runner


def ended(client: httpx.Client, context: WorkerContext, job: dict[str, Any]) -> dict[str, Any]:
    """Posts a job and runs it to its end, which has to be a good one."""
    answer = client.post("/v1/jobs", json=job)
    assert answer.status_code == 202, answer.text
    id_ = answer.json()["id"]
    runner.train(context, "worker")
    runner.finalise(context, id_, "worker")
    found: dict[str, Any] = client.get(f"/v1/jobs/{id_}").json()
    assert found["status"] == "succeeded", found
    return found
