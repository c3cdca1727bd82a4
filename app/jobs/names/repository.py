"""Names of what a job is made of, for people. It only reads."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow
from app.tables.models import ModelRow

LONGEST_DEFAULT_NAME = 200


def names_of(session: Session, jobs: Sequence[JobRow]) -> dict[str, str]:
    """Names of the jobs' targets and sources, datasets or models, deleted ones too, by their ids;
    pretrained weights have none but what refers to them."""
    names = {each: each for job in jobs for each in (job.target_id, *job.source_ids)}
    for row in (DatasetRow, ModelRow):
        found = select(row.id, row.name).where(row.id.in_([*names]))
        names |= {id_: name for id_, name in session.execute(found) if name}
    return names


def source_names(session: Session, job: JobRow) -> list[str]:
    """Names of the job's sources, in their order."""
    names = names_of(session, [job])
    return [names[each] for each in job.source_ids]


def default_name(session: Session, job: JobRow) -> str:
    """Name of a job that was given none, after its datasets' and models' names."""
    names = names_of(session, [job])
    sources = ", ".join(names[each] for each in job.source_ids)
    return f"{sources} to {names[job.target_id]}"[:LONGEST_DEFAULT_NAME]
