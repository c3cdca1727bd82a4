"""All reading SQL about jobs. The writing stands in lifecycle.py, work.py and recovery.py."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, defer

from app import naming
from app.errors import Conflict, Finding, Invalid, NotFound
from app.spec.plan import MEASURED
from app.spec.progress import UNFINISHED, StatusCount, TrialCounts
from app.spec.source import is_stored
from app.spec.time_left import TimingRatios, TrialTime
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow, TrialRow
from app.tables.models import ModelRow

NAMED = naming.NamedKind("jobs", "job_", JobRow.id, JobRow.name)
WITNESSES = 1000  # trials of a job that tell how long its others take


def get(session: Session, project: str, reference: str) -> JobRow:
    """A job by its id or its name. Raises NotFound, also for another project's job, and Conflict
    for a name that several jobs have."""
    own = JobRow.project == project
    job = session.get(JobRow, naming.id_of(session, NAMED, reference, own))
    if job is None or job.project != project:
        raise NotFound("job_not_found", f"there is no job {reference[:80]} in this project")
    return job


def of_project(project: str, status: str | None) -> Select[JobRow]:
    """Jobs of a project, without their reports, which may be large."""
    statement = select(JobRow).where(JobRow.project == project)
    statement = statement.options(defer(JobRow.report, raiseload=True))
    return statement if status is None else statement.where(JobRow.status == status)


def of_ids(session: Session, job_ids: Sequence[str]) -> Sequence[JobRow]:
    """Jobs by their ids, without their reports. One that was deleted is missing."""
    statement = select(JobRow).options(defer(JobRow.report, raiseload=True))
    return session.scalars(statement.where(JobRow.id.in_(job_ids))).all()


def datasets_of(
    session: Session, job: JobRow, lock: Literal["share", "update"] | None = None
) -> list[DatasetRow]:
    """Those that the job needs, deleted ones too, fresh; locked until the commit where asked."""
    ids = {job.target_id, *job.source_ids}
    statement = select(DatasetRow).where(DatasetRow.id.in_(ids)).order_by(DatasetRow.id)
    if lock:
        statement = statement.with_for_update(read=lock == "share")
    return list(session.scalars(statement, execution_options={"populate_existing": True}))


def require_kept(session: Session, job: JobRow, datasets: Sequence[DatasetRow]) -> None:
    """Raises Conflict where something that the job needs has been deleted. `datasets` are locked,
    and its models are from here on: a deletion that comes now sees this job."""
    statement = select(ModelRow.id).where(
        ModelRow.id.in_(job.source_ids), ModelRow.deleted_at.is_(None)
    )
    models = session.scalars(statement.order_by(ModelRow.id).with_for_update(read=True)).all()
    kept = {dataset.id for dataset in datasets if not dataset.deleted_at} | set(models)
    for needed in (job.target_id, *filter(is_stored, job.source_ids)):
        if needed not in kept:
            kind = "model" if needed.startswith("mdl_") else "dataset"
            raise Conflict(f"{kind}_deleted", f"expected a {kind} that is there, {needed} is not")


def tallies(session: Session, job_ids: Sequence[str]) -> dict[str, TrialCounts]:
    planned, progress = TrialRow.planned_seconds, TrialRow.progress
    sums = (func.sum(each) for each in (planned, progress * planned, progress, TrialRow.seconds))
    by_status = (
        select(TrialRow.job_id, TrialRow.status, func.count(), *sums)
        .where(TrialRow.job_id.in_(job_ids))
        .group_by(TrialRow.job_id, TrialRow.status)
    )
    tallies: dict[str, TrialCounts] = defaultdict(TrialCounts)
    for job_id, *part in session.execute(by_status):
        tallies[job_id].parts.append(StatusCount(*part))
    return tallies


def trial_times(session: Session, job_ids: Sequence[str]) -> dict[str, list[TrialTime]]:
    """Times of each job's trials: what has not begun, alike trials together; what has, one by one,
    the latest WITNESSES of them."""
    alike = (
        TrialRow.job_id,
        TrialRow.role,
        TrialRow.arm,
        TrialRow.labels_per_class,
        TrialRow.status,
        TrialRow.planned_seconds.label("planned"),
    )
    untouched = (TrialRow.status.in_(("waiting", "queued")) & (TrialRow.progress == 0)) & (
        TrialRow.seconds == 0
    )
    of_jobs = TrialRow.job_id.in_(job_ids)
    ahead = select(*alike, func.count().label("trials")).where(of_jobs, untouched).group_by(*alike)
    begun = (
        select(
            *alike,
            TrialRow.progress,
            TrialRow.seconds,
            TrialRow.reused_from.is_not(None).label("is_taken_over"),
            func.row_number()
            .over(
                partition_by=TrialRow.job_id,
                order_by=(TrialRow.status.in_(UNFINISHED).desc(), TrialRow.position.desc()),
            )
            .label("age"),
        )
        .where(of_jobs, ~untouched)
        .subquery()
    )
    latest = [column for column in begun.columns if column.name != "age"]
    times: dict[str, list[TrialTime]] = defaultdict(list)
    for statement in (ahead, select(*latest).where(begun.c.age <= WITNESSES)):
        for row in session.execute(statement).mappings():
            fields = dict(row)
            times[fields.pop("job_id")].append(TrialTime(**fields))
    return times


def with_report(session: Session, job_ids: Sequence[str]) -> set[str]:
    """Those of the jobs that have one; none is read."""
    reported = JobRow.id.in_(job_ids) & JobRow.report.is_not(None)
    return set(session.scalars(select(JobRow.id).where(reported)))


def trials(session: Session, job_id: str, arm: str | None = None) -> list[TrialRow]:
    statement = select(TrialRow).where(TrialRow.job_id == job_id).order_by(TrialRow.position)
    if arm is not None:
        statement = statement.where(TrialRow.arm == arm)
    return list(session.scalars(statement))


def trials_page(
    session: Session, job_id: str, arm: str | None, limit: int, after: str | None
) -> tuple[list[TrialRow], bool, str | None]:
    """Rows in the order of the plan, has_more, next. Raises Invalid for a cursor that is no trial
    of the job."""
    statement = select(TrialRow).where(TrialRow.job_id == job_id).order_by(TrialRow.position)
    if arm is not None:
        statement = statement.where(TrialRow.arm == arm)
    if after:
        of_job = (TrialRow.job_id == job_id) & (TrialRow.id == after)
        position = session.scalar(select(TrialRow.position).where(of_job))
        if position is None:
            detail = f"expected the `next` of a page of {job_id}'s trials, got {after}"
            raise Invalid("unknown_cursor", detail, Finding(detail, parameter="after"))
        statement = statement.where(TrialRow.position > position)
    found = session.scalars(statement.limit(limit + 1)).all()
    rows, has_more = list(found[:limit]), len(found) > limit
    return rows, has_more, rows[-1].id if has_more else None


def trial(session: Session, job_id: str, trial_id: str) -> TrialRow:
    """Raises NotFound, also for another job's trial."""
    found = session.get(TrialRow, trial_id)
    if found is None or found.job_id != job_id:
        raise NotFound("trial_not_found", f"there is no trial {trial_id[:80]} in {job_id}")
    return found


def refs(session: Session) -> set[str]:
    """References of all that trials of all projects have stored."""
    columns = select(TrialRow.checkpoint, TrialRow.weights, TrialRow.predictions)
    return {ref for row in session.execute(columns) for ref in row if ref}


def seconds_spent(session: Session, job_id: str, besides: str | None = None) -> float:
    """Seconds of training, by all of the job's trials, or all but one. One that runs counts with
    what it has last recorded."""
    spent = select(func.sum(TrialRow.seconds)).where(TrialRow.job_id == job_id)
    if besides:
        spent = spent.where(TrialRow.id != besides)
    return session.scalar(spent) or 0.0


def first_failures(session: Session, job_id: str) -> dict[str, dict[str, Any]]:
    """The first error of each code among the job's trials, in the order of the plan."""
    code = TrialRow.error["failure"].as_string()
    first = (
        select(func.min(TrialRow.position))
        .where(TrialRow.job_id == job_id, code.is_not(None))
        .group_by(code)
    )
    errors = select(TrialRow.error).where(TrialRow.job_id == job_id, TrialRow.position.in_(first))
    found = session.scalars(errors.order_by(TrialRow.position))
    return {error["failure"]: error for error in found if error}


@dataclass(frozen=True)
class RoleTally:
    """The trials of a job that have a role."""

    all_failed: bool
    first_error: dict[str, Any] | None  # of the first of them in the plan


def by_role(session: Session, job_id: str) -> dict[str, RoleTally]:
    """Trials of some roles, in the order of the plan."""
    of_job = TrialRow.job_id == job_id
    failed = func.count().filter(TrialRow.status == "failed")
    tallies = (
        select(func.min(TrialRow.position), failed == func.count())
        .where(of_job)
        .group_by(TrialRow.role)
    )
    all_failed = dict(session.execute(tallies).all())
    first = select(TrialRow.position, TrialRow.role, TrialRow.error).where(
        of_job, TrialRow.position.in_(all_failed)
    )
    return {
        role: RoleTally(bool(all_failed[position]), error)
        for position, role, error in session.execute(first.order_by(TrialRow.position))
    }


def has_unfinished(session: Session, job_id: str) -> bool:
    return _has_trial(session, job_id, TrialRow.status.in_(UNFINISHED))


def has_results(session: Session, job_id: str) -> bool:
    """Tells whether a trial of an arm has succeeded: there is something to report."""
    succeeded = (TrialRow.status == "succeeded") & TrialRow.role.in_(MEASURED)
    return _has_trial(session, job_id, succeeded)


def _has_trial(session: Session, job_id: str, such: ColumnElement[bool]) -> bool:
    found = select(TrialRow.id).where(TrialRow.job_id == job_id, such).limit(1)
    return session.scalar(found) is not None


def pretrained(session: Session, project: str, content_key: str) -> TrialRow | None:
    """The project's first trial that has the weights which `content_key` stands for. Only one that
    has succeeded bears such a key. It is locked: were it deleted before its weights are named
    anew, a sweep could take them."""
    statement = (
        select(TrialRow)
        .join(JobRow, JobRow.id == TrialRow.job_id)
        .where(
            TrialRow.content_key == content_key,
            TrialRow.weights.is_not(None),
            JobRow.project == project,
        )
        .order_by(TrialRow.id)
        .limit(1)
        .with_for_update(read=True, of=TrialRow)
    )
    return session.scalar(statement)


def pace(session: Session, backbone: str, last: int = 200) -> TimingRatios:
    """Ratios of this installation's last succeeded trials, those that trained the backbone
    themselves."""
    recent = (
        select(TrialRow.job_id, TrialRow.arm, TrialRow.seconds, TrialRow.planned_seconds)
        .where(TrialRow.status == "succeeded")
        .order_by(TrialRow.id.desc())
        .limit(last)
    )
    # Two queries: a join would have the database look at every job there is.
    trials = session.execute(recent).all()
    with_backbone = select(JobRow.id).where(
        JobRow.id.in_({trial.job_id for trial in trials}),
        JobRow.spec["model"]["backbone"].as_string() == backbone,
    )
    jobs = set(session.scalars(with_backbone))
    by_arm: dict[str, list[float]] = defaultdict(list)
    for job_id, arm, seconds, planned in trials:
        if job_id in jobs and planned and seconds:  # what another job had trained takes none
            by_arm[arm].append(seconds / planned)
    return TimingRatios(by_arm)
