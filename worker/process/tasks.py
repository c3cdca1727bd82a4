"""Thin tasks: a message wakes, the database says what is to be done. Each is safe to run twice."""

from typing import Any

from app.messages import (
    AuditDataset,
    FinaliseJob,
    ImportModel,
    IngestDataset,
    RankUnlabelled,
    RunTrial,
)
from worker.process import runner
from worker.process.celery_app import application
from worker.process.context import worker_context


@application.task(name=RunTrial.task, bind=True)  # type: ignore[untyped-decorator]  # Celery has no types
def run_trial(self: Any, trial_id: str) -> None:
    """The message names one trial; the oldest runnable ones are taken, until none is left."""
    runner.train(worker_context(), owner=self.request.id)


@application.task(name=FinaliseJob.task, bind=True)  # type: ignore[untyped-decorator]
def finalise_job(self: Any, job_id: str) -> None:
    runner.finalise(worker_context(), job_id, owner=self.request.id)


@application.task(name=IngestDataset.task, bind=True)  # type: ignore[untyped-decorator]
def ingest_dataset(self: Any, dataset_id: str) -> None:
    runner.ingest(worker_context(), dataset_id, owner=self.request.id)


@application.task(name=AuditDataset.task, bind=True)  # type: ignore[untyped-decorator]
def audit_dataset(self: Any, audit_id: str) -> None:
    runner.audit(worker_context(), audit_id, owner=self.request.id)


@application.task(name=RankUnlabelled.task, bind=True)  # type: ignore[untyped-decorator]
def rank_unlabelled(self: Any, ranking_id: str) -> None:
    runner.rank_unlabelled(worker_context(), ranking_id, owner=self.request.id)


@application.task(name=ImportModel.task, bind=True)  # type: ignore[untyped-decorator]
def import_model(self: Any, import_id: str) -> None:
    runner.import_model(worker_context(), import_id, owner=self.request.id)
