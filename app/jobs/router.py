"""/v1/jobs: submit, watch (stream.py), steer, read the evidence (evidence.py)."""

from fastapi import APIRouter, Request, Response

from app.actions import post_action
from app.conditional import check_preconditions, conditional, etag_of
from app.dependencies import (
    DatabaseOf,
    PageOf,
    Reader,
    ReadSession,
    SettingsOf,
    StorageOf,
    Writer,
    WriteSession,
)
from app.documented import can_answer
from app.errors import Conflict
from app.idempotency import (
    IdempotencyKey,
    StoredAnswer,
    answer_once,
    fingerprint,
    forget_answers,
    is_answered,
    respond,
)
from app.jobs import acceptance, evidence, lifecycle, repository, stream
from app.jobs.next_labels import router as next_labels
from app.jobs.presenting import present_job, present_jobs, present_trial, without_columns
from app.jobs.schemas import (
    Applicability,
    JobOut,
    JobStatus,
    PlannedTrialOut,
    TrialOut,
    ValidationOut,
)
from app.pages import Listing, fetch_page
from app.spec.applicability import obstacle
from app.spec.spec import JobSpec
from app.spec.strategy_catalogue import CATALOGUE
from app.tables.jobs import ENDED, JobRow
from app.turns import TurnRoute
from app.usage import quotas

router = APIRouter(prefix="/v1", tags=["jobs"], route_class=TurnRoute)
router.include_router(stream.router)
router.include_router(evidence.router)
router.include_router(next_labels.router)

POLL_SECONDS = "1"


@router.post("/jobs", status_code=202, response_model=JobOut, responses=can_answer(404, 409, 507))
def create(
    spec: JobSpec,
    request: Request,
    database: DatabaseOf,
    caller: Writer,
    storage: StorageOf,
    settings: SettingsOf,
    key: IdempotencyKey = None,
) -> Response:
    """Accepts a transfer job: it is checked against its datasets, planned and queued."""
    accepted: acceptance.Accepted | None = None
    with database.read() as session:  # checking takes seconds of wide tables: nobody waits for it
        if not is_answered(session, caller, key):
            accepted = acceptance.check(session, storage, caller.project, spec, settings)

    def make() -> StoredAnswer:
        quotas.admit(session, storage, settings, caller.project)
        checked = accepted or acceptance.check(session, storage, caller.project, spec, settings)
        job = acceptance.record(session, caller.project, checked)
        headers = {"Location": f"/v1/jobs/{job.id}", "Retry-After": POLL_SECONDS}
        return StoredAnswer(202, headers, present_job(session, job).model_dump(mode="json"))

    body = spec.model_dump(mode="json")
    mark = fingerprint(request.method, request.url.path, body)
    with database.write() as session:
        answer = answer_once(session, caller, key, mark, make)
    return respond(answer)


@post_action(router, "/jobs/validate", responses=can_answer(404, 409))
def validate(
    spec: JobSpec,
    session: ReadSession,
    caller: Reader,
    storage: StorageOf,
    settings: SettingsOf,
) -> ValidationOut:
    """The same checks, and the plan, with nothing started."""
    accepted = acceptance.check(session, storage, caller.project, spec, settings)
    pace = repository.pace(session, accepted.spec.model.backbone)
    return ValidationOut(
        spec=without_columns(accepted.spec.model_dump(mode="json")),
        selection=accepted.selection,
        trials=[
            PlannedTrialOut(
                role=trial.role,
                arm=trial.arm,
                seed=trial.seed,
                labels_per_class=trial.labels_per_class,
                steps=steps,
                seconds=round(seconds, 2),
            )
            for trial, steps, seconds in accepted.costs(pace)
        ],
        steps=sum(accepted.steps),
        estimate=accepted.memory,
        estimated_seconds=round(accepted.estimate(pace), 1),
        estimate_basis="measured" if pace.is_measured else "shipped",
        domain_distance=[facts.distance() for facts in accepted.sources],
        strategies=[
            Applicability(name=name, reason=found and found[1])
            for name in CATALOGUE
            for found in (obstacle(name, spec, accepted.sources, accepted.target),)
        ],
        warnings=list(accepted.spec.warnings),
        columns=list(accepted.spec.columns),
    )


@router.get("/jobs")
def list_jobs(
    session: ReadSession, caller: Reader, page: PageOf, status: JobStatus | None = None
) -> Listing[JobOut]:
    """Newest first."""
    statement = repository.of_project(caller.project, status)
    rows, has_more, following = fetch_page(session, statement, JobRow.id, page)
    return Listing[JobOut](data=present_jobs(session, rows), has_more=has_more, next=following)


@router.get("/jobs/{job_id}", response_model=JobOut, responses=can_answer(304))
def show(job_id: str, request: Request, session: ReadSession, caller: Reader) -> Response:
    job = present_job(session, repository.get(session, caller.project, job_id))
    headers = {} if job.status in ENDED else {"Retry-After": POLL_SECONDS}
    return conditional(request, job, headers=headers)


@router.delete("/jobs/{job_id}", status_code=204, responses=can_answer(409, 412))
def delete(job_id: str, request: Request, session: WriteSession, caller: Writer) -> None:
    """Removes an ended job with its trials, metrics and files. Its models stay."""
    job = repository.get(session, caller.project, job_id)
    job = lifecycle.lock(session, job.id)
    check_preconditions(request, etag_of(present_job(session, job)))
    if job.status not in ENDED:
        raise Conflict(
            "job_not_ended",
            f"only an ended job can be deleted; {job.id} is {job.status}: cancel it first",
        )
    session.delete(job)
    forget_answers(session, job.project, job.id)


@post_action(router, "/jobs/{job_id}/cancel", responses=can_answer(409))
def cancel(job_id: str, session: WriteSession, caller: Writer) -> JobOut:
    """Ends the job; what is training stops within two seconds. Where trials have results, a report
    of them follows."""
    job = repository.get(session, caller.project, job_id)
    return present_job(session, lifecycle.cancel(session, job.id))


@post_action(router, "/jobs/{job_id}/pause", responses=can_answer(409))
def pause(job_id: str, session: WriteSession, caller: Writer) -> JobOut:
    """Pauses a job: what is training stores a checkpoint and lets go of its worker."""
    job = repository.get(session, caller.project, job_id)
    return present_job(session, lifecycle.pause(session, job.id))


@post_action(router, "/jobs/{job_id}/resume", responses=can_answer(409))
def resume(job_id: str, session: WriteSession, caller: Writer) -> JobOut:
    """Goes on from the checkpoints, bit for bit as if never paused."""
    job = repository.get(session, caller.project, job_id)
    return present_job(session, lifecycle.resume(session, job.id))


@post_action(router, "/jobs/{job_id}/retry", responses=can_answer(409))
def retry(job_id: str, session: WriteSession, caller: Writer) -> JobOut:
    """Runs again what failed; what succeeded stays."""
    job = repository.get(session, caller.project, job_id)
    return present_job(session, lifecycle.retry(session, job.id))


@router.get("/jobs/{job_id}/trials")
def trials(
    job_id: str, session: ReadSession, caller: Reader, page: PageOf, arm: str | None = None
) -> Listing[TrialOut]:
    """Lists a job's trials in the order of the plan."""
    job = repository.get(session, caller.project, job_id)
    found = repository.trials_page(session, job.id, arm, page.limit, page.after)
    rows, has_more, following = found
    shown = [present_trial(row) for row in rows]
    return Listing[TrialOut](data=shown, has_more=has_more, next=following)


@router.get("/jobs/{job_id}/trials/{trial_id}")
def trial(job_id: str, trial_id: str, session: ReadSession, caller: Reader) -> TrialOut:
    job = repository.get(session, caller.project, job_id)
    return present_trial(repository.trial(session, job.id, trial_id))
