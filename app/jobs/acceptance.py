"""The way from a POSTed spec to a job in the database: datasets found, spec resolved, trials
planned."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache, cached_property

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from app.datasets import repository as datasets
from app.datasets.catalogue import CATALOGUE, PREFIX
from app.datasets.schemas import Schema
from app.datasets.sketch import stored_sketch
from app.encoders.availability import check_available
from app.errors import Conflict, Invalid, NotFound, invalid
from app.identifiers import new_id
from app.inputs.contract import Sketch
from app.jobs import lifecycle
from app.jobs.distances import with_distances
from app.jobs.encoding_time import EncodingTime, encoding_time
from app.jobs.named_encoders import with_encoder
from app.jobs.names import repository as names
from app.jobs.names.ids import unknown_dataset, with_ids
from app.models import encoders
from app.models import repository as models
from app.pretrained.choosing import check_photos, recommended, with_weights_named
from app.settings import Settings
from app.spec.backbones import Backbone
from app.spec.capacity_check import MemoryEstimate, estimate_of
from app.spec.forecast import planned_seconds
from app.spec.plan import PlannedTrial, plan, planned_steps
from app.spec.pretrained import PRETRAINED
from app.spec.resolution import resolve
from app.spec.scales import PixelScale
from app.spec.source import Source
from app.spec.sources import Sample, SourceFacts
from app.spec.spec import Choice, JobSpec, ResolvedSpec
from app.spec.time_left import TimingRatios, TrialTime, seconds_left
from app.storage import Storage
from app.tables.jobs import JobRow
from app.tables.models import ModelRow
from app.workers import repository as workers


@dataclass(frozen=True)
class Accepted:
    spec: ResolvedSpec
    selection: list[Choice]
    trials: list[PlannedTrial]
    steps: list[int]  # of each trial, at most
    sources: list[SourceFacts]
    target: Schema
    memory: MemoryEstimate
    encoding: EncodingTime

    @cached_property
    def seconds(self) -> list[float]:
        """Planned seconds of each trial, on the machine of calibration.py."""
        schemas = [self.spec.seen(facts.schema) for facts in self.sources]
        own = planned_seconds(self.spec, self.trials, self.steps, schemas, self.target)
        return self.encoding.added(self.trials, own)

    def costs(self, pace: TimingRatios) -> list[tuple[PlannedTrial, int, float]]:
        """Trials with their steps, at most, and their seconds at the pace of this installation."""
        planned = zip(self.trials, self.steps, self.seconds, strict=True)
        paces = {arm: pace.of(arm) or 1.0 for arm in {trial.arm for trial in self.trials}}
        return [(trial, steps, seconds * paces[trial.arm]) for trial, steps, seconds in planned]

    def estimate(self, pace: TimingRatios) -> float:
        """Seconds of the job, one trial at a time."""
        alike = Counter((*trial.kind, seconds) for trial, _, seconds in self.costs(pace))
        waiting = [
            TrialTime(role, arm, labels, "waiting", seconds, trials=trials)
            for (role, arm, labels, seconds), trials in alike.items()
        ]
        return seconds_left(waiting, TimingRatios({}), self.spec.budget_seconds)


def check(
    session: Session, storage: Storage, project: str, spec: JobSpec, settings: Settings
) -> Accepted:
    """Everything that a POST checks, with nothing written. Raises Invalid, or Conflict while a
    dataset is still being taken in, or where several have the name that one is called by."""
    spec = with_ids(session, project, spec)
    target = _schema(session, project, spec.target.dataset, "#/target/dataset")
    sample = _sample_of(session, storage, project, spec.target.dataset)
    spec, chosen = with_weights_named(spec, target, settings.cache_dir)
    spec, of_encoder = with_encoder(session, project, spec)
    if advice := recommended(spec, target, settings.cache_dir):
        chosen.append(advice)
    sources = [
        replace(
            _facts(session, project, spec, place, target),
            sample=_sample_of(session, storage, project, source.dataset),
        )
        for place, source in enumerate(spec.sources)
    ]
    sources = with_distances(spec.sources, sources, target, sample)
    scale = _scale(session, project, spec.target.dataset, target)
    resolved, selection = resolve(spec, sources, target, scale, sample)
    if resolved.model.encoder:
        named = "backbone" if resolved.model.begins_as else "params/encoder"
        check_available(session, resolved.model.encoder, f"#/model/{named}")
    check_photos(resolved.model, settings.cache_dir)
    target = resolved.seen(target)
    trials = plan(resolved, target)
    schemas = [resolved.seen(facts.schema) for facts in sources]
    steps = planned_steps(trials, resolved, schemas, target)
    declared = workers.slot_bytes(session)
    available = settings.assumed_slot_memory_bytes if declared is None else declared
    memory = estimate_of(resolved, trials, schemas, target, available)
    encoding = encoding_time(session, project, resolved)
    choices = [*chosen, *of_encoder, *selection]
    return Accepted(resolved, choices, trials, steps, sources, target, memory, encoding)


def record(session: Session, project: str, accepted: Accepted) -> JobRow:
    """Writes the job down and queues it. Raises Invalid where a dataset or model has been deleted
    since it was checked."""
    spec = accepted.spec
    sources = [
        _there(session, project, source, f"#/sources/{place}")
        for place, source in enumerate(spec.sources)
    ]
    target = _identify(session, project, spec.target.dataset, "#/target/dataset")
    resolved = spec.with_datasets(sources, target)
    job = JobRow(
        id=new_id("job"),
        project=project,
        name=spec.name,
        spec=resolved.model_dump(mode="json"),
        selection=[choice.model_dump(mode="json") for choice in accepted.selection],
        source_ids=sources,
        target_id=target,
        tags=dict(spec.tags),
        estimate=accepted.memory.model_dump(),
    )
    job.name = job.name or names.default_name(session, job)
    lifecycle.submit(session, job, accepted.trials, accepted.steps, accepted.seconds)
    return job


def _facts(
    session: Session, project: str, spec: JobSpec, place: int, target: Schema
) -> SourceFacts:
    source, pointer = spec.sources[place], f"#/sources/{place}"
    if source.backbone:
        return PRETRAINED[source.reference].facts(target, spec.model.image_size)
    if source.dataset:
        schema = _schema(session, project, source.dataset, f"{pointer}/dataset")
        return SourceFacts(schema, scale=_scale(session, project, source.dataset, schema))
    model = _model(session, project, source.reference, pointer)
    signature = models.ready_signature(session, model, f"{pointer}/model")
    if encoders.stored_of(model):
        detail = "expected a network to start from, got an encoder of texts, which goes into "
        detail += '`model`: {"backbone": "sentence_encoder", "params": {"encoder": "mdl_…"}}'
        raise invalid("model_is_an_encoder", detail, f"{pointer}/model")
    if "weights" not in model.files:
        detail = "expected a model that this release trained, got one without its weights"
        raise invalid("model_without_weights", detail, f"{pointer}/model")
    schema = Schema(
        inputs=model.card.get("inputs") or signature.inputs,
        task=signature.task,
        splits={},
        class_counts={"train": (), "test": ()},
    )
    network = TypeAdapter[Backbone](Backbone).validate_python(model.card["network"])
    size = network.image_size or schema.inputs.sides
    return SourceFacts(schema, network.model_copy(update={"image_size": size}))


def _sample_of(session: Session, storage: Storage, project: str, reference: str | None) -> Sample:
    """Reads, once, a few of a dataset's training items; None of one that is not stored yet, and
    of a model."""

    @cache
    def sample() -> Sketch | None:
        try:
            row = datasets.find(session, project, reference or "")
        except NotFound:
            return None
        return stored_sketch(storage, row)

    return sample


def _scale(session: Session, project: str, reference: str, schema: Schema) -> PixelScale | None:
    """The scale as far as the intake has told it: before it, or by an earlier release, values fill
    their range."""
    try:
        profile = datasets.find(session, project, reference).profile
    except NotFound:  # of the catalogue, and not asked for before
        profile = None
    return PixelScale.of(schema, profile)


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
        raise unknown_dataset(session, project, reference, pointer) from error
    except Invalid as error:
        raise invalid(error.code, error.detail, pointer) from error
    except Conflict as error:
        raise Conflict(
            error.code,
            error.detail,
            *invalid(error.code, error.detail, pointer).findings,
            headers=error.headers,
        ) from error


def _model(session: Session, project: str, reference: str, pointer: str) -> ModelRow:
    try:
        return models.get(session, project, reference)
    except NotFound as error:
        raise invalid("unknown_model", error.detail, f"{pointer}/model") from error


def _there(session: Session, project: str, source: Source, pointer: str) -> str:
    """The source's id, or the name of weights from elsewhere."""
    if source.dataset:
        return _identify(session, project, source.dataset, f"{pointer}/dataset")
    if source.model:
        return _model(session, project, source.model, pointer).id
    return source.reference


def _identify(session: Session, project: str, reference: str, pointer: str) -> str:
    if reference.startswith(PREFIX):
        name = reference.removeprefix(PREFIX)
        return datasets.obtain_from_catalogue(session, project, name).id
    try:
        return datasets.find(session, project, reference, lock="share").id
    except NotFound as error:
        raise unknown_dataset(session, project, reference, pointer) from error
