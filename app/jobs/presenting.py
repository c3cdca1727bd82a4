"""Rows as the outside sees them."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy.orm import Session

from app.datasets.schemas import LISTED_CLASSES, Schema
from app.jobs import epoch_repository, repository
from app.jobs.evidence_datasets import evidence_datasets
from app.jobs.names.repository import names_of, source_names
from app.jobs.schemas import EvidenceOut, EvidenceTrial, Failure, JobOut, TrialOut
from app.jobs.trial_steps import steps_taken
from app.spec.progress import TrialCounts
from app.spec.spec import Choice, ResolvedSpec
from app.spec.time_left import TimingRatios, seconds_left
from app.tables.jobs import ENDED, JobRow, TrialRow


def present_job(session: Session, job: JobRow) -> JobOut:
    (shown,) = present_jobs(session, [job])
    return shown


def present_jobs(session: Session, jobs: Sequence[JobRow]) -> list[JobOut]:
    tallies = repository.tallies(session, [job.id for job in jobs])
    times = repository.trial_times(session, [job.id for job in jobs if job.status == "running"])
    reported = repository.with_report(session, [job.id for job in jobs if job.status in ENDED])

    @cache
    def pace(backbone: str) -> TimingRatios:
        return repository.pace(session, backbone)

    def left(job: JobRow) -> float | None:
        if job.status in ENDED:
            return 0.0
        if job.status != "running":
            return None
        found = times[job.id]
        # The installation's pace changes with other jobs, the job's own only with its news.
        elsewhere = TimingRatios({}) if any(each.pace for each in found) else pace(_backbone(job))
        budget: float | None = job.spec.get("budget_seconds")
        affordable = None if budget is None else budget - tallies[job.id].seconds
        return seconds_left(found, elsewhere, affordable)

    names = names_of(session, jobs)
    return [_job_out(job, names, tallies[job.id], left(job), job.id in reported) for job in jobs]


def _backbone(job: JobRow) -> str:
    return str(job.spec["model"]["backbone"])


def present_trial(trial: TrialRow) -> TrialOut:
    return TrialOut.model_validate(trial, from_attributes=True)


def present_evidence(
    session: Session,
    job: JobRow,
    target: Schema,
    trials: Sequence[TrialRow],
    name_of: Callable[[TrialRow], str | None],
) -> EvidenceOut:
    """`name_of`: what a trial's stored predictions are called there."""
    epochs = epoch_repository.count_by_phase(session, job.id)
    steps = steps_taken(ResolvedSpec.model_validate(job.spec), target, trials, epochs)
    first = epoch_repository.first_validations(session, job.id)
    classes = job.spec.get("classes") or target.classes
    return EvidenceOut(
        spec=job.spec,
        selection=job.selection,
        classes=list(classes),
        task=target.task.named(tuple(classes)),
        class_counts=list(
            target.class_counts["train"] if target.has_labels("train") else (0,) * len(classes)
        ),
        training_items=target.splits["train"],
        source_names=source_names(session, job),
        datasets=evidence_datasets(session, job),
        report=job.report,
        trials=[
            EvidenceTrial.model_validate(
                {
                    "id": trial.id,
                    "arm": trial.arm,
                    "role": trial.role,
                    "seed": trial.seed,
                    "labels_per_class": trial.labels_per_class,
                    "seconds": trial.seconds,
                    "error": trial.error,
                    "depends_on": trial.depends_on,
                    "outcome": trial.outcome,
                    "conditions": trial.conditions,
                    "epochs": sum(epochs.get(trial.id, {}).values()),
                    **steps.get(trial.id, {}),
                    "first_epoch": first.get(trial.id),
                    "predictions": name_of(trial) if trial.predictions else None,
                }
            )
            for trial in trials
        ],
    )


def shown_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """Shows a spec with the first 100 classes of the outputs, where it names them: a dataset or a
    model names them all."""
    spec = without_columns(spec)
    classes = spec.get("classes") or ()
    left_off = len(classes) - LISTED_CLASSES
    if left_off <= 0:
        return spec
    return {**spec, "classes": classes[:LISTED_CLASSES], "classes_left_off": left_off}


def without_columns(spec: dict[str, Any]) -> dict[str, Any]:
    """Returns a spec without what tables share, which the report and the preflight tell, and the
    model's signature."""
    return {name: value for name, value in spec.items() if name not in {"inputs", "columns"}}


def _job_out(
    job: JobRow, names: dict[str, str], tally: TrialCounts, left: float | None, has_report: bool
) -> JobOut:
    progress = tally.done if job.status in ENDED else tally.progress
    return JobOut.model_validate(
        {
            "id": job.id,
            "name": job.name,
            "status": job.status,
            "stage": job.stage,
            "progress": 1.0 if job.status == "succeeded" else round(progress, 4),
            "eta_seconds": None if left is None else round(left, 1),
            "trials": tally.counts,
            "stop_reason": job.stop_reason,
            "error": job.error and Failure.model_validate(job.error),
            "estimate": job.estimate,
            "spec": shown_spec(job.spec),
            "selection": [Choice.model_validate(choice) for choice in job.selection],
            "sources": job.source_ids,
            "source_names": [names[each] for each in job.source_ids],
            "target": job.target_id,
            "target_name": names[job.target_id],
            "report": f"/v1/jobs/{job.id}/report" if has_report else None,
            "models": [job.model_id] if job.model_id else [],
            "deployment": job.deployment,
            "tags": job.tags,
            "created_at": job.created_at,
            "started_at": job.started_at,
            "ended_at": job.ended_at,
        }
    )
