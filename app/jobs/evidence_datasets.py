"""Findings of the intake in a job's datasets, as its report takes them."""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy.orm import Session

from app.jobs.schemas import EvidenceDataset
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow


def evidence_datasets(session: Session, job: JobRow) -> list[EvidenceDataset]:
    """The target, then the sources that are datasets and not models, each once."""
    given = zip(job.spec["sources"], job.source_ids, strict=True)
    sources = dict.fromkeys(id_ for source, id_ in given if source.get("dataset"))
    found = [_of(session.get(DatasetRow, job.target_id), "target")]
    found += [_of(session.get(DatasetRow, id_), "source") for id_ in sources]
    return [each for each in found if each]


def _of(row: DatasetRow | None, role: Literal["source", "target"]) -> EvidenceDataset | None:
    """A profile of an older release says less."""
    if row is None:
        return None
    profile: Mapping[str, Any] = row.profile or {}
    duplicates = profile.get("duplicates") or {}
    contradicting = duplicates.get("contradicting") or {}
    return EvidenceDataset(
        role=role,
        id=row.id,
        name=row.name,
        test_in_training=duplicates.get("across_splits") or 0,
        test_contradicting=contradicting.get("across_splits") or 0,
        warnings=list(profile.get("warnings") or ()),
    )
