"""The rows of the database that a trial has to do with, and what follows from them alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.datasets.schemas import Schema
from app.models.schemas import Signature
from app.spec.outcomes import Candidate, SearchOutcome, outcome_of
from app.spec.plan import PRETRAIN, final_training, hides_labels, rewriting_of, sources_of
from app.spec.pretrained import IMAGENET_CLASSES, PRETRAINED, Pretrained
from app.spec.sources import joint_classes
from app.spec.spec import ResolvedSpec
from app.spec.strategies import AutoArm, Strategy
from app.spec.training import Training
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow, TrialRow
from app.tables.models import ModelRow
from app.tasks import TaskKind
from worker.datasets.encoded import Encoded, without_encoder
from worker.datasets.stored_data import dataset_split
from worker.training.data import Split
from worker.trials.source_rows import Change, learnt, written


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
