"""/v1/jobs/{id}/next_labels: which unlabelled items to label next, and what that was worth."""

from fastapi import APIRouter, Request, Response

from app.actions import post_action
from app.conditional import conditional
from app.datasets import repository as datasets
from app.dependencies import Reader, ReadSession, Writer, WriteSession
from app.documented import can_answer
from app.jobs import repository as jobs
from app.jobs.next_labels import repository
from app.jobs.next_labels.candidates import require_candidates, require_network
from app.jobs.next_labels.schemas import NextLabelsAsked, NextLabelsOut, Ranked
from app.tables.datasets import DatasetRow
from app.tables.next_labels import NextLabelsRow
from app.turns import TurnRoute

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=TurnRoute)

POLL_SECONDS = "1"


@post_action(
    router,
    "/{job_id}/next_labels",
    status_code=202,
    response_model=NextLabelsOut,
    responses=can_answer(409),
)
def ask(
    job_id: str,
    asked: NextLabelsAsked,
    response: Response,
    session: WriteSession,
    caller: Writer,
) -> NextLabelsOut:
    """Has a worker rank unlabelled items by what labelling them would bring, and simulate on
    labelled ones what such an order was worth. The same question again answers with the same
    ranking, one that failed is begun anew; another question takes its place."""
    job = jobs.get(session, caller.project, job_id)
    model = repository.kept_model(session, job.model_id) if job.model_id else None
    require_network(job, model)
    named = datasets.find(session, caller.project, asked.origin) if asked.origin else None
    target = session.get(DatasetRow, job.target_id)
    dataset_id = require_candidates(job, target, named)
    row = repository.obtain(session, job.id, dataset_id, asked.items)
    response.headers["Location"] = f"/v1/jobs/{job.id}/next_labels"
    response.headers["Retry-After"] = POLL_SECONDS
    return _out(row)


@router.get("/{job_id}/next_labels", response_model=NextLabelsOut, responses=can_answer(304))
def show(job_id: str, request: Request, session: ReadSession, caller: Reader) -> Response:
    """Says how the job's last question stands, and the items to label next, the first one first."""
    job = jobs.get(session, caller.project, job_id)
    row = repository.get(session, job.id)
    is_open = row.status in {"queued", "running"}
    return conditional(request, _out(row), headers={"Retry-After": POLL_SECONDS} if is_open else {})


def _out(row: NextLabelsRow) -> NextLabelsOut:
    found = Ranked.model_validate(row.result) if row.result else None
    return NextLabelsOut(
        job=row.job_id,
        dataset=row.dataset_id,
        status=row.status,
        items=row.items,
        created_at=row.created_at,
        ended_at=row.ended_at,
        method=found.method if found else None,
        candidates=found.candidates if found else None,
        considered=found.considered if found else None,
        identifier_column=found.identifier_column if found else None,
        data=found.listed if found else [],
        worth=found.worth if found else None,
        sentence=found.sentence if found else None,
        error=row.error,
    )
