"""From a POSTed spec to a job in the database: datasets found, spec resolved, trials planned."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.datasets import repository as datasets
from app.datasets.catalogue import CATALOGUE, PREFIX
from app.datasets.schemas import Schema
from app.errors import Conflict, Invalid, NotFound, invalid
from app.identifiers import new_id
from app.jobs import lifecycle
from app.jobs.plan import PlannedTrial, plan
from app.jobs.progress import Part, Tally
from app.jobs.spec import Choice, JobSpec, ResolvedSpec, resolve
from app.jobs.tables import JobRow


@dataclass(frozen=True)
class Accepted:
    spec: ResolvedSpec
    selection: list[Choice]
    trials: list[PlannedTrial]
    steps: list[int]  # of each trial, at most

    @property
    def tally(self) -> Tally:
        """The job as it will stand before anything is done."""
        planned = zip(self.trials, self.steps, strict=True)
        return Tally([Part(trial.arm, "queued", 1, steps, 0, 0, 0) for trial, steps in planned])


def check(session: Session, project: str, spec: JobSpec) -> Accepted:
    """Everything that a POST checks, with nothing written. Raises Invalid, or Conflict while a
    dataset is still being taken in."""
    source = _schema(session, project, spec.sources[0].dataset, "#/sources/0/dataset")
    target = _schema(session, project, spec.target.dataset, "#/target/dataset")
    resolved, selection = resolve(spec, source, target)
    trials = plan(resolved)
    steps = [trial.steps(resolved, source, target) for trial in trials]
    return Accepted(resolved, selection, trials, steps)


def accept(session: Session, project: str, spec: JobSpec) -> JobRow:
    accepted = check(session, project, spec)
    source = _identify(session, project, spec.sources[0].dataset)
    target = _identify(session, project, spec.target.dataset)
    resolved = accepted.spec.with_datasets([source], target)
    job = JobRow(
        id=new_id("job"),
        project=project,
        name=spec.name or f"{spec.sources[0].dataset} to {spec.target.dataset}",
        spec=resolved.model_dump(mode="json"),
        selection=[choice.model_dump(mode="json") for choice in accepted.selection],
        source_ids=[source],
        target_id=target,
        tags=dict(spec.tags),
    )
    lifecycle.submit(session, job, accepted.trials, accepted.steps)
    return job


def _schema(session: Session, project: str, reference: str, pointer: str) -> Schema:
    name = reference.removeprefix(PREFIX)
    if reference.startswith(PREFIX):
        if name not in CATALOGUE:
            known = ", ".join(f"{PREFIX}{known}" for known in CATALOGUE)
            raise invalid("unknown_dataset", f"expected one of {known}, got {reference}", pointer)
        return CATALOGUE[name].schema
    try:
        return datasets.schema_of(datasets.find(session, project, reference))
    except NotFound as error:
        raise invalid("unknown_dataset", error.detail, pointer) from error
    except Invalid as error:
        raise invalid(error.code, error.detail, pointer) from error
    except Conflict as error:
        raise Conflict(
            error.code,
            error.detail,
            *invalid(error.code, error.detail, pointer).findings,
            headers=error.headers,
        ) from error


def _identify(session: Session, project: str, reference: str) -> str:
    if reference.startswith(PREFIX):
        name = reference.removeprefix(PREFIX)
        return datasets.obtain_from_catalogue(session, project, name).id
    return reference
