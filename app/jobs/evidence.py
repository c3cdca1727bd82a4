"""Routes to what a job has found out: its epochs' metrics, its report, and the predictions behind
it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from app.conditional import conditional
from app.datasets.repository import ready_schema_of
from app.datasets.schemas import Schema
from app.dependencies import DatabaseOf, PageOf, Reader, ReadSession, StorageOf
from app.documented import can_answer
from app.errors import NotFound
from app.jobs import repository
from app.jobs.archive import stream_zip
from app.jobs.epoch_metrics import csv_of, metrics_page
from app.jobs.next_labels.repository import ranked
from app.jobs.page.route import VARY, page_response, wants_html
from app.jobs.presenting import present_evidence, present_job
from app.jobs.schemas import MetricsOut
from app.sent import Moment
from app.spec.report import Report
from app.tables.datasets import DatasetRow
from app.tables.jobs import TrialRow
from app.turns import TurnRoute

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=TurnRoute)


@router.get(
    "/{job_id}/metrics",
    response_model=MetricsOut,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **can_answer(304)},
)
def metrics(
    job_id: str,
    request: Request,
    session: ReadSession,
    caller: Reader,
    database: DatabaseOf,
    page: PageOf,
    arm: str | None = None,
    since: Annotated[Moment | None, Query(description="recorded after this time")] = None,
) -> Response:
    """The epochs of a page of trials, in the order of the plan; a page may hold fewer than `limit`.
    As CSV (`Accept: text/csv`) those of all trials."""
    job = repository.get(session, caller.project, job_id)
    if "text/csv" in request.headers.get("accept", ""):
        return StreamingResponse(csv_of(database, job.id, arm, since), media_type="text/csv")
    return conditional(request, metrics_page(session, job.id, arm, since, page))


@router.get(
    "/{job_id}/report",
    response_model=Report,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **can_answer(304)},
)
def report(job_id: str, request: Request, session: ReadSession, caller: Reader) -> Response:
    """The evidence: did the transfer help, and by how much. `Accept: text/html` gets a page."""
    job = repository.get(session, caller.project, job_id)
    if job.report is None:
        raise NotFound("no_report", f"{job.id} has no report: it is {job.status}")
    if wants_html(request):
        try:
            found = Report.model_validate(job.report)
        except ValidationError as error:
            detail = f"expected a report of this release, {job.id} has an older one: ask for JSON"
            raise NotFound("report_outdated", detail) from error
        return page_response(request, present_job(session, job), found, ranked(session, job.id))
    return conditional(request, job.report, headers=VARY)


@router.get(
    "/{job_id}/predictions",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/zip": {"schema": {"type": "string"}}}},
        **can_answer(409),
    },
)
def predictions(
    job_id: str, database: DatabaseOf, caller: Reader, storage: StorageOf
) -> StreamingResponse:
    """A zip of every trial's predictions, with `job.json`: all that the report is made from."""
    with database.read() as session:  # no longer: to look all files through takes seconds
        job = repository.get(session, caller.project, job_id)
        target = _schema_of(session.get_one(DatasetRow, job.target_id))
        rows = repository.trials(session, job.id)
        files = {_entry(row): row.predictions for row in rows if row.predictions}
        evidence = present_evidence(session, job, target, rows, _entry)
    for ref in files.values():  # a damaged one is told before the answer has begun
        storage.local(ref)
    content = stream_zip(storage, {"job.json": evidence.model_dump_json().encode()}, files)
    headers = {"Content-Disposition": f'attachment; filename="{job.id}.zip"'}
    return StreamingResponse(content, media_type="application/zip", headers=headers)


def _schema_of(target: DatasetRow) -> Schema:
    """The target's schema, which outlives its files. Raises Conflict and Invalid where it never had
    one."""
    return Schema.model_validate(target.schema) if target.schema else ready_schema_of(target)


def _entry(trial: TrialRow) -> str:
    return f"predictions/{trial.id}.npz"
