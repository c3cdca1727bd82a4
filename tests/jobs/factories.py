"""Jobs in a database, without HTTP."""

from typing import Any

from app.database import Database
from app.datasets.schemas import Schema
from app.identifiers import new_id
from app.inputs.image import ImageInputs
from app.jobs import lifecycle, repository, work
from app.spec.plan import plan
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow, TrialRow
from app.tasks.classification import Classification

LEASE_SECONDS = 60.0
SCHEMA = Schema(
    inputs=ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255)),
    task=Classification(classes=("a", "b")),
    splits={"train": 40, "test": 20},
    class_counts={"train": (20, 20), "test": (10, 10)},
)


def add_dataset(
    database: Database, status: str = "ready", project: str = "p", name: str = "letters"
) -> str:
    dataset_id = new_id("ds")
    with database.write() as session:
        session.add(
            DatasetRow(
                id=dataset_id,
                project=project,
                name=name,
                origin="upload",
                spec={},
                status=status,
                schema=SCHEMA.model_dump(mode="json") if status == "ready" else None,
            )
        )
    return dataset_id


def add_job(
    database: Database,
    source: str,
    target: str,
    seeds: int = 1,
    project: str = "p",
    budget_seconds: float | None = None,
    priority: str = "normal",
    **evaluation: Any,
) -> str:
    spec = JobSpec.model_validate(
        {
            "sources": [{"dataset": source}],
            "target": {"dataset": target},
            "strategies": ["fine_tune"],
            "training": {"augmentation": None},
            "evaluation": {"seeds": seeds, **evaluation},
            "budget_seconds": budget_seconds,
            "priority": priority,
        }
    )
    resolved, _ = resolve(spec, [SourceFacts(SCHEMA)], SCHEMA)
    trials = plan(resolved)
    job = JobRow(
        id=new_id("job"),
        project=project,
        name="n",
        spec=resolved.model_dump(mode="json"),
        source_ids=[source],
        target_id=target,
    )
    with database.write() as session:
        lifecycle.submit(session, job, trials, [1] * len(trials), [1.0] * len(trials))
    return job.id


def ready_job(database: Database, seeds: int = 1, **changes: Any) -> str:
    return add_job(database, add_dataset(database), add_dataset(database), seeds, **changes)


def claim(database: Database, owner: str = "w", seconds: float = LEASE_SECONDS) -> TrialRow | None:
    with database.write() as session:
        return work.claim_trial(session, owner, seconds, max_attempts=5)


def must_claim(database: Database, owner: str = "w", seconds: float = LEASE_SECONDS) -> TrialRow:
    trial = claim(database, owner, seconds)
    assert trial is not None
    return trial


def finish(database: Database, trial: TrialRow, **results: Any) -> None:
    with database.write() as session:
        work.finish_trial(session, trial, **results)


def job_of(database: Database, job_id: str) -> JobRow:
    with database.read() as session:
        return session.get_one(JobRow, job_id)


def trials_of(database: Database, job_id: str) -> list[TrialRow]:
    with database.read() as session:
        return repository.trials(session, job_id)
