"""A job that runs to its end, and its report."""

from typing import Any

from app.client import Client
from app.spec.report import Report


def succeeded(client: Client, spec: dict[str, Any]) -> str:
    """Submits a job, waits for it and returns its id. Raises RuntimeError where it fails."""
    job = client.jobs.wait(client.jobs.submit(spec).id)
    if job.status != "succeeded":
        raise RuntimeError(f"expected the job to succeed, got {job.error}")
    return job.id


def report_of(client: Client, spec: dict[str, Any]) -> Report:
    return client.jobs.report(succeeded(client, spec))
