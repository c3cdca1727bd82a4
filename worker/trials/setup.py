"""The setup of a trial, what it is trained on and from: rows of the database -> a TrialSetup."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from sqlalchemy.orm import Session

from app.datasets.schemas import Schema
from app.models.schemas import Signature
from app.spec.outcomes import Candidate, SearchOutcome, outcome_of
from app.spec.plan import PRETRAIN, Role, final_training, hides_labels, rewriting_of, sources_of
from app.spec.pretrained import IMAGENET_CLASSES, PRETRAINED, Pretrained
from app.spec.sources import joint_classes
from app.spec.spec import ResolvedSpec
from app.spec.strategies import AutoArm, Strategy
from app.spec.strategy_catalogue import CATALOGUE
from app.spec.training import Training
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow, TrialRow
from app.tables.models import ModelRow
from app.tasks import TASKS, TaskKind
from worker.audit.audit import without_suspects
from worker.datasets.encoded import Encoded, without_encoder
from worker.datasets.stored_data import dataset_split
from worker.evaluation.measures import measures_of
from worker.training.data import Domain, Split, cut_at_random, cut_validation
from worker.training.items import Items
from worker.training.label_budget import within_budget
from worker.training.setup import TrialSetup
from worker.trials.engine_setup import engine_setup
from worker.trials.source_rows import Change, learnt, written
from worker.trials.starting_point import starting_point


@dataclass(frozen=True)
class TrialData:
    """The rows that a trial has to do with. `needed`: the trial that it waited for."""

    job: JobRow
    trial: TrialRow
    spec: ResolvedSpec
    target: DatasetRow
    sources: Sequence[DatasetRow]
    places: Sequence[int]  # of these in the job
    models: Sequence[ModelRow]
    pretrained: Sequence[Pretrained]  # weights from elsewhere
    needed: TrialRow | None
    encoded: Encoded | None = None  # features in place of texts, as far as they are computed
    # What the arm does to rows of sources, by their index, each learnt when it is first asked for
    changes: dict[int, Change] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, trial: TrialRow) -> "TrialData":
        job = session.get_one(JobRow, trial.job_id)
        spec = ResolvedSpec.model_validate(job.spec)
        places = sources_of(spec, trial.arm)
        named = [(spec.sources[place], job.source_ids[place]) for place in places]
        target = session.get_one(DatasetRow, job.target_id)
        sources = [session.get_one(DatasetRow, id_) for given, id_ in named if given.dataset]
        if trial.role == "reference":
            spec = without_encoder(spec, target, sources)
            if spec.part:  # of the target's own rows, which lack nothing
                spec = spec.model_copy(update={"inputs": None, "part": None})
        return cls(
            job=job,
            trial=trial,
            spec=spec,
            target=target,
            sources=sources,
            places=[place for place in places if spec.sources[place].dataset],
            models=[session.get_one(ModelRow, id_) for given, id_ in named if given.model],
            pretrained=[PRETRAINED[given.reference] for given, _ in named if given.backbone],
            needed=session.get_one(TrialRow, trial.depends_on) if trial.depends_on else None,
            encoded=Encoded.of(session, spec.inputs, (target, *sources)),
        )

    @property
    def source_schemas(self) -> list[Schema]:
        return [self.spec.seen(Schema.model_validate(row.schema)) for row in self.sources]

    @property
    def target_schema(self) -> Schema:
        return self.spec.seen(Schema.model_validate(self.target.schema))

    def stored_split_of(self, storage: Storage, index: int, name: str) -> Split:
        """Split of one of the trial's sources that are datasets, in the network's columns."""
        adoption = self.encoded or self.spec.adoption(self.places[index])
        return dataset_split(storage, self.sources[index], name, adoption)

    def source_split_of(self, storage: Storage, index: int, name: str) -> Split:
        """The same, as the trial's arm has its rows."""
        split = self.stored_split_of(storage, index, name)
        if (how := rewriting_of(self.spec, self.trial.arm)) is None:
            return split
        if index not in self.changes:
            source = self.stored_split_of(storage, index, "train").items
            target = self.target_split(storage, "train").items
            self.changes[index] = learnt(how, self.spec, self.places[index], source, target)
        return written(split, self.changes[index])

    def target_split(self, storage: Storage, name: str) -> Split:
        return dataset_split(storage, self.target, name, self.encoded or self.spec.adoption())

    @property
    def source_schema(self) -> Schema:
        """Schema of all sources as one."""
        return self.source_schemas[0].named(self.source_classes)

    @property
    def source_classes(self) -> tuple[str, ...]:
        """() where the trial has no source."""
        if self.models:
            return Signature.model_validate(self.models[0].signature).task.names
        if self.pretrained:
            return IMAGENET_CLASSES
        return joint_classes(self.source_schemas)

    @property
    def source_task(self) -> TaskKind:
        """Task of the sources that the trial starts from; the job's where there is none."""
        return self.spec.task_of(sources_of(self.spec, self.trial.arm))

    @property
    def shares_classes(self) -> bool:
        """Tells whether the source's outputs are the network's, in whichever order."""
        is_alike = self.trial.role == PRETRAIN or self.source_task == self.spec.task
        return is_alike and set(self.source_classes) == set(self.classes)

    @property
    def source_weights(self) -> str | None:
        """The reference of what the trial starts from."""
        if self.models:
            return str(self.models[0].files["weights"])
        return self.needed.weights if self.needed else None

    @property
    def hides_labels(self) -> bool:
        return hides_labels(self.spec, self.trial.role)

    @property
    def found(self) -> Candidate | None:
        """Candidate that the search before the trial has found, where there was one."""
        if self.needed is None or self.needed.role != "search":
            return None
        outcome = outcome_of("search", self.needed.outcome)
        return outcome.chosen if isinstance(outcome, SearchOutcome) else None

    @property
    def strategy(self) -> Strategy | AutoArm | None:
        """Strategy with which the arm is trained: as the job says, or as its own search found; that
        of another arm says how items are changed alone."""
        if (found := self.found) and self.needed and self.needed.arm == self.trial.arm:
            return found.strategy
        arm = self.spec.arms.get(self.trial.arm)
        strategy = arm.strategy if arm else None
        if isinstance(strategy, AutoArm) and self.trial.role != "search":
            return strategy.portfolio[0]
        return strategy

    def training(self, items: int) -> Training:
        """The settings of a trial on `items` training items."""
        training = final_training(self.spec, self.trial.role, items)
        return self.found.training(training) if self.found else training

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the network's outputs, in their order."""
        if self.trial.role == PRETRAIN:
            return self.source_classes
        if self.spec.target.use_labels or self.trial.role == "bound":
            return self.target_schema.classes
        return self.spec.classes or self.source_classes

    @property
    def source_places(self) -> tuple[int, ...] | None:
        """Places of each output's class among the source's, where both have the same ones in
        another order."""
        source, own = self.source_classes, self.classes
        if source == own or not self.shares_classes:
            return None
        return tuple(source.index(label) for label in own)


def setup_of(storage: Storage, data: TrialData) -> TrialSetup:
    spec, trial, strategy = data.spec, data.trial, data.strategy
    source = None
    if trial.role == PRETRAIN or (data.sources and _needs_source_data(data, strategy)):
        source = source_domain(storage, data)
    target = None if trial.role == PRETRAIN else _target(storage, data)
    domain = target.domain if target else source
    if domain is None:
        raise ValueError(f"{trial.id}: expected data to train on, got none")
    role: Role = "transfer" if trial.arm in spec.arms else trial.role  # type: ignore[assignment]  # a string in the database
    fixed = None if isinstance(strategy, AutoArm) else strategy
    training = data.training(len(domain.train))
    if not domain.schema.task.has_classes:  # a source's, where the target's labels are smoothed
        training = training.model_copy(update={"label_smoothing": 0.0})
    weights, learnt = starting_point(storage, data)
    return replace(
        engine_setup(spec, role, fixed, trial.seed, domain, training),
        imbalance=(data.found and data.found.imbalance) or spec.imbalance,
        source=source if target else None,
        source_classes=len(data.source_classes),
        source_weights=weights,
        source_places=data.source_places,
        is_pretrained=bool(data.pretrained),
        learnt=learnt,
        source_has_classes=TASKS[data.source_task].has_classes,
        shares_classes=data.shares_classes,
        unlabelled=target.unlabelled if target else None,
        parts=(spec.part,) if spec.part else (),
    )


def target_test(storage: Storage, data: TrialData) -> Split:
    """Test split of the target; its labels count by the job's classes."""
    split = data.target_split(storage, "test")
    own, classes = data.target_schema.classes, data.spec.classes
    if not split.is_labelled or not classes or own == classes:
        return split
    return replace(split, y=TASKS[data.spec.task].placed(split.y, own, classes))


def _needs_source_data(data: TrialData, strategy: Strategy | AutoArm | None) -> bool:
    if data.trial.role in {"score", "reference"}:
        return True
    tried = strategy.portfolio if isinstance(strategy, AutoArm) else (strategy,)
    return any(each and "source_data" in CATALOGUE[each.name].needs for each in tried)


def source_domain(storage: Storage, data: TrialData) -> Domain:
    """One source, or all of the trial's as one: their classes are those of any, in the order of the
    network's outputs where these are the same."""
    schema, split = data.source_schema, source_split(storage, data, "train")
    if data.source_places:
        schema = schema.named(data.classes)
        y = schema.task.placed(split.y, data.source_classes, data.classes)
        split = replace(split, y=y)
    if not split.is_labelled:
        split = split.select(np.flatnonzero(split.known))
    return _labelled(schema, split, data)


def source_split(storage: Storage, data: TrialData, name: str) -> Split:
    """Split of the trial's one source, or of all as one."""
    schemas, classes = data.source_schemas, data.source_classes
    splits = [data.source_split_of(storage, index, name) for index in range(len(data.sources))]
    if len(splits) == 1:
        return splits[0]
    y = np.concatenate(
        [
            schema.task.placed(each.y, schema.classes, classes)
            for schema, each in zip(schemas, splits, strict=True)
        ]
    )
    items, known = Items.joined([each.items for each in splits]), [each.known for each in splits]
    return Split(items, y, np.concatenate(known))


@dataclass(frozen=True, eq=False)
class _Target:
    """What a trial gets of the target's training items.

    `unlabelled`: where the job lets them take part, those without a label and those beyond the
    label budget, none with its label.
    """

    domain: Domain
    unlabelled: Split | None = None


def _target(storage: Storage, data: TrialData) -> _Target:
    """Hides its labels where the trial must not see them; then its classes are the source's.
    Nothing of how the rows are parted tells the labels either."""
    schema, split = data.target_schema, data.target_split(storage, "train")
    if not data.hides_labels:
        seen = within_budget(schema, split, data.trial.labels_per_class, data.trial.seed)
        others = None
        if data.spec.target.takes_unlabelled:
            others = split.select(np.setdiff1d(np.arange(len(split)), seen)).without_labels()
        domain = _labelled(schema, split if len(seen) == len(split) else split.select(seen), data)
        return _Target(domain, others)
    fraction = data.spec.training.validation_fraction
    kept, held_out = cut_at_random(len(split), fraction, data.trial.seed)
    schema = schema.named(data.classes)
    hidden = split.without_labels()
    return _Target(Domain(schema, hidden.select(kept), hidden.select(held_out)))


def _labelled(schema: Schema, split: Split, data: TrialData) -> Domain:
    fraction = data.spec.training.validation_fraction
    strata = measures_of(schema.task).strata(split.y, data.trial.seed)
    kept, held_out = cut_validation(strata, fraction, data.trial.seed)
    train, suspects = split.select(kept), 0
    if data.spec.label_noise == "drop_suspects" and schema.task.has_classes:
        train, suspects = without_suspects(schema, train)
    return Domain(schema, train, split.select(held_out), suspects)
