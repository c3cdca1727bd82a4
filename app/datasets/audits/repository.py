"""All SQL about audits, but for what finds and recovers work (app/jobs)."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import announce, clock
from app.datasets.audits.schemas import AuditResult
from app.datasets.schemas import Split
from app.errors import NotFound
from app.identifiers import new_id
from app.messages import AuditDataset
from app.tables.audits import AuditRow


def find(session: Session, dataset_id: str) -> AuditRow | None:
    return session.scalar(select(AuditRow).where(AuditRow.dataset_id == dataset_id))


def get(session: Session, dataset_id: str) -> AuditRow:
    """Raises NotFound."""
    row = find(session, dataset_id)
    if row is None:
        detail = f"{dataset_id} was not audited: POST /v1/datasets/{dataset_id}/audit does it"
        raise NotFound("not_audited", detail)
    return row


def obtain(session: Session, dataset_id: str, model_id: str | None = None) -> AuditRow:
    """The dataset's audit: begun at the first call, and anew where it failed or was of another
    model's features."""
    row = find(session, dataset_id)
    if row is None:
        try:
            with session.begin_nested():
                row = AuditRow(id=new_id("aud"), dataset_id=dataset_id, model_id=model_id)
                session.add(row)
        except IntegrityError:  # another request was first
            row = get(session, dataset_id)
        else:
            _start(session, row)
            return row
    session.refresh(row, with_for_update=True)
    if row.status == "failed" or row.model_id != model_id:
        row.model_id = model_id
        row.begin_anew()
        _start(session, row)
    return row


def suspects_of(session: Session, dataset_id: str, split: Split) -> dict[int, dict[str, Any]]:
    """Returns what a preview says of a split's suspects, by their places; none without an audit."""
    row = find(session, dataset_id)
    found = AuditResult.model_validate(row.result) if row and row.result else None
    return {
        each.index: {"suspected": {"proposed": each.proposed, "score": each.score}}
        for each in (found.listed if found else ())
        if each.split == split
    }


def _start(session: Session, row: AuditRow) -> None:
    row.published_at = session.scalar(select(clock()))
    session.flush()
    announce(session, AuditDataset(row.id))
