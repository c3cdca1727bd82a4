"""/v1/jobs: submit, watch (stream.py), steer, read the evidence."""

import csv
import io
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from app.conditional import check_if_match, conditional, etag_of
from app.dependencies import PageOf, Reader, ReadSession, Writer, WriteSession
from app.errors import Conflict, NotFound
from app.idempotency import Answer, IdempotencyKey, answer_once, fingerprint, respond
from app.jobs import acceptance, lifecycle, repository, stream
from app.jobs.report import Report
from app.jobs.schemas import (
    Failure,
    JobOut,
    JobStatus,
    MetricsOut,
    PlannedTrialOut,
    TrialMetrics,
    TrialOut,
    ValidationOut,
)
from app.jobs.spec import Choice, JobSpec
from app.jobs.tables import EpochRow, JobRow, TrialRow
from app.pages import Listing, fetch_page

router = APIRouter(prefix="/v1", tags=["jobs"])
router.include_router(stream.router)

POLL_SECONDS = "1"


@router.post("/jobs", status_code=202, response_model=JobOut)
def create(
    spec: JobSpec,
    request: Request,
    session: WriteSession,
    caller: Writer,
    key: IdempotencyKey = None,
) -> Response:
    """Accepts a transfer job: it is checked against its datasets, planned and queued."""

    def make() -> Answer:
        job = acceptance.accept(session, caller.project, spec)
        headers = {"Location": f"/v1/jobs/{job.id}", "Retry-After": POLL_SECONDS}
        return Answer(202, headers, _job(session, job).model_dump(mode="json"))

    body = spec.model_dump(mode="json")
    mark = fingerprint(request.method, request.url.path, body)
    return respond(answer_once(session, caller, key, mark, make))


@router.post("/jobs:validate")
def validate(spec: JobSpec, session: ReadSession, caller: Reader) -> ValidationOut:
    """The same checks, and the plan, with nothing started."""
    accepted = acceptance.check(session, caller.project, spec)
    steps = sum(accepted.steps)
    rate = repository.seconds_per_step(session, accepted.spec.model.backbone)
    return ValidationOut(
        spec=accepted.spec.model_dump(mode="json"),
        selection=accepted.selection,
        trials=[
            PlannedTrialOut(
                role=trial.role,
                arm=trial.arm,
                seed=trial.seed,
                labels_per_class=trial.labels_per_class,
            )
            for trial in accepted.trials
        ],
        steps=steps,
        estimated_seconds=None if rate is None else round(rate * steps, 1),
    )


@router.get("/jobs")
def list_jobs(
    session: ReadSession, caller: Reader, page: PageOf, status: JobStatus | None = None
) -> Listing[JobOut]:
    """Newest first."""
    statement = repository.of_project(caller.project, status)
    rows, has_more, following = fetch_page(session, statement, JobRow.id, page)
    tallies = repository.tallies(session, [row.id for row in rows])
    jobs = [_job_out(row, tallies[row.id]) for row in rows]
    return Listing[JobOut](data=jobs, has_more=has_more, next=following)


@router.get("/jobs/{job_id}", response_model=JobOut)
def show(job_id: str, request: Request, session: ReadSession, caller: Reader) -> Response:
    job = _job(session, repository.get(session, caller.project, job_id))
    headers = {} if job.status in lifecycle.ENDED else {"Retry-After": POLL_SECONDS}
    return conditional(request, job, headers=headers)


@router.delete("/jobs/{job_id}", status_code=204)
def delete(job_id: str, request: Request, session: WriteSession, caller: Writer) -> None:
    """Removes an ended job with its trials and metrics. Its models stay."""
    job = repository.get(session, caller.project, job_id)
    check_if_match(request, etag_of(_job(session, job)))
    if job.status not in lifecycle.ENDED:
        raise Conflict(
            "job_not_ended", f"only an ended job can be deleted; {job.id} is {job.status}"
        )
    session.delete(job)


@router.post("/jobs/{job_id}/cancel")
def cancel(job_id: str, session: WriteSession, caller: Writer) -> JobOut:
    """Ends the job; what is training stops within two seconds."""
    repository.get(session, caller.project, job_id)
    return _job(session, lifecycle.cancel(session, job_id))


@router.post("/jobs/{job_id}/pause")
def pause(job_id: str, session: WriteSession, caller: Writer) -> JobOut:
    """What is training stores a checkpoint and lets go of its worker."""
    repository.get(session, caller.project, job_id)
    return _job(session, lifecycle.pause(session, job_id))


@router.post("/jobs/{job_id}/resume")
def resume(job_id: str, session: WriteSession, caller: Writer) -> JobOut:
    """Goes on from the checkpoints, bit for bit as if never paused."""
    repository.get(session, caller.project, job_id)
    return _job(session, lifecycle.resume(session, job_id))


@router.post("/jobs/{job_id}/retry")
def retry(job_id: str, session: WriteSession, caller: Writer) -> JobOut:
    """Runs again what failed; what succeeded stays."""
    repository.get(session, caller.project, job_id)
    return _job(session, lifecycle.retry(session, job_id))


@router.get("/jobs/{job_id}/trials")
def trials(
    job_id: str, session: ReadSession, caller: Reader, arm: str | None = None
) -> Listing[TrialOut]:
    """All trials, in the order of the plan."""
    job = repository.get(session, caller.project, job_id)
    rows = repository.trials(session, job.id, arm)
    return Listing[TrialOut](data=[_trial_out(row) for row in rows], has_more=False, next=None)


@router.get(
    "/jobs/{job_id}/metrics",
    response_model=MetricsOut,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def metrics(
    job_id: str,
    request: Request,
    session: ReadSession,
    caller: Reader,
    arm: str | None = None,
    since: Annotated[datetime | None, Query(description="recorded after this time")] = None,
) -> Response:
    """Every epoch of every trial, as JSON or as CSV (`Accept: text/csv`)."""
    job = repository.get(session, caller.project, job_id)
    rows = repository.trials(session, job.id, arm)
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    epochs = repository.epochs(session, [row.id for row in rows], since)
    found = [
        TrialMetrics(
            id=row.id,
            arm=row.arm,
            seed=row.seed,
            labels_per_class=row.labels_per_class,
            status=row.status,
            epochs=[_epoch(epoch) for epoch in epochs[row.id]],
            test=row.test,
        )
        for row in rows
    ]
    if "text/csv" in request.headers.get("accept", ""):
        return Response(_csv(found), media_type="text/csv")
    return conditional(request, MetricsOut(job_id=job.id, trials=found))


@router.get("/jobs/{job_id}/report", response_model=Report)
def report(job_id: str, request: Request, session: ReadSession, caller: Reader) -> Response:
    """The evidence: did the transfer help, and by how much."""
    job = repository.get(session, caller.project, job_id)
    if job.report is None:
        raise NotFound("no_report", f"{job.id} has no report: it is {job.status}")
    return conditional(request, job.report)


def _job(session: Session, job: JobRow) -> JobOut:
    return _job_out(job, repository.tallies(session, [job.id])[job.id])


def _job_out(job: JobRow, tally: repository.Tally) -> JobOut:
    ended = job.status in lifecycle.ENDED
    return JobOut.model_validate(
        {
            "id": job.id,
            "name": job.name,
            "status": job.status,
            "stage": job.stage,
            "progress": 1.0 if job.status == "succeeded" else round(tally.progress, 4),
            "eta_seconds": 0.0 if ended else _eta(job, tally.progress),
            "trials": tally.counts,
            "error": job.error and Failure.model_validate(job.error),
            "spec": job.spec,
            "selection": [Choice.model_validate(choice) for choice in job.selection],
            "sources": job.source_ids,
            "target": job.target_id,
            "report": f"/v1/jobs/{job.id}/report" if job.report else None,
            "models": [job.model_id] if job.model_id else [],
            "deployment": job.deployment,
            "tags": job.tags,
            "created_at": job.created_at,
            "started_at": job.started_at,
            "ended_at": job.ended_at,
        }
    )


def _eta(job: JobRow, progress: float) -> float | None:
    if job.status != "running" or job.started_at is None or progress <= 0:
        return None
    # Up to the last news, not to this moment: the answer and its ETag stay while nothing moves.
    elapsed = (job.updated_at - job.started_at).total_seconds()
    return round(elapsed * (1 - progress) / progress, 1)


def _trial_out(trial: TrialRow) -> TrialOut:
    return TrialOut.model_validate(trial, from_attributes=True)


def _epoch(epoch: EpochRow) -> dict[str, Any]:
    return {"phase": epoch.phase, "epoch": epoch.epoch, "split": epoch.split, **epoch.values}


def _csv(trials: list[TrialMetrics]) -> str:
    names = ["loss", "accuracy", "f1_macro", "learning_rate", "seconds"]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["trial", "arm", "seed", "labels_per_class", "phase", "epoch", "split", *names])
    for trial in trials:
        start = [trial.id, trial.arm, trial.seed, trial.labels_per_class]
        for epoch in trial.epochs:
            place = [epoch["phase"], epoch["epoch"], epoch["split"]]
            writer.writerow([*start, *place, *(epoch.get(name) for name in names)])
    return text.getvalue()
