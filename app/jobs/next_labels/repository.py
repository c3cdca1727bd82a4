"""All SQL about which labels to ask for next, but for what finds and recovers work."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import announce, clock
from app.errors import NotFound
from app.identifiers import new_id
from app.jobs.next_labels.schemas import Ranked
from app.messages import RankUnlabelled
from app.tables.models import ModelRow
from app.tables.next_labels import NextLabelsRow


def get(session: Session, job_id: str) -> NextLabelsRow:
    """Raises NotFound."""
    row = _find(session, job_id)
    if row is None:
        detail = f"{job_id} was not asked: POST /v1/jobs/{job_id}/next_labels asks it"
        raise NotFound("not_ranked", detail)
    return row


def ranked(session: Session, job_id: str) -> Ranked | None:
    """Returns what the job's last question was answered with; None where none was, or not yet."""
    row = _find(session, job_id)
    return Ranked.model_validate(row.result) if row and row.result else None


def obtain(session: Session, job_id: str, dataset_id: str, items: int) -> NextLabelsRow:
    """The job's answer: the same one to the same question, begun anew where it failed; another
    question takes its place."""
    row = _find(session, job_id)
    if row is None:
        try:
            with session.begin_nested():
                row = NextLabelsRow(
                    id=new_id("nxt"), job_id=job_id, dataset_id=dataset_id, items=items
                )
                session.add(row)
            _start(session, row)
            return row
        except IntegrityError:  # another request was first
            row = get(session, job_id)
    session.refresh(row, with_for_update=True)
    if row.status == "failed" or (row.dataset_id, row.items) != (dataset_id, items):
        row.dataset_id, row.items = dataset_id, items
        row.begin_anew()
        _start(session, row)
    return row


def kept_model(session: Session, model_id: str) -> ModelRow | None:
    """Returns None where it was deleted."""
    row = session.get(ModelRow, model_id)
    return None if row is None or row.deleted_at else row


def _find(session: Session, job_id: str) -> NextLabelsRow | None:
    return session.scalar(select(NextLabelsRow).where(NextLabelsRow.job_id == job_id))


def _start(session: Session, row: NextLabelsRow) -> None:
    row.published_at = session.scalar(select(clock()))
    session.flush()
    announce(session, RankUnlabelled(row.id))
