"""A job as a user POSTs it, and what becomes of it: app/spec/resolution.py turns a spec with `auto`
in it into one that says everything; app/spec/checks.py refuses a job that cannot run."""

from dataclasses import dataclass
from math import inf
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.datasets.schemas import Schema
from app.inputs import Inputs
from app.inputs.features import FeaturesInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joint_columns import Adoption
from app.inputs.joint_parts import JoinedAdoption
from app.inputs.table import TableInputs
from app.inputs.text import Lengthened, TextInputs
from app.sent import Array, Sent
from app.spec.backbones import AutoBackbone, Backbone, BackboneChoice
from app.spec.evaluation import Evaluation, ResolvedEvaluation
from app.spec.flaws import IMBALANCE, LABEL_NOISE, Imbalance, ImbalanceChoice, LabelNoise
from app.spec.references import PlannedReference
from app.spec.shared_columns import SharedColumns
from app.spec.short_form import refuse_short_form
from app.spec.source import Source
from app.spec.strategies import (
    BASELINE,
    SOURCE_ONLY,
    SUPERVISED,
    Auto,
    AutoArm,
    Strategy,
    StrategyChoice,
)
from app.spec.target import Target
from app.spec.training import Space, Training, TrainingChoice
from app.tasks import TASKS, TaskKind, metric_of
from app.tasks.contract import Metric

MOST_SOURCES = 16
Adopting = Adoption | Lengthened | JoinedAdoption
Sources = tuple[int, ...]  # places in `sources`


DEPLOYMENT_NAME = r"^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$"


class Deploy(Sent):
    name: str = Field(pattern=DEPLOYMENT_NAME)
    when: Literal["beats_baseline", "always", "best"] = Field(
        "beats_baseline",
        description="`best`: whichever of the winner, the baseline and the best model without a "
        "network is best on validation items",
    )
    vocabulary: Literal["whole", "seen"] = Field(
        "whole",
        description="of a model on a frozen encoder: `seen` packages it with the pieces alone that "
        "the training texts need, and all single characters; the model's card says how many test "
        "texts keep their tokens. Served with a fraction of the memory",
    )
    ensemble: Literal["none", "average", "distill"] = Field(
        "none",
        description="`average`: all seeds of what is packaged as one graph that answers their mean "
        "probabilities or quantities; `distill`: one network as large as each that learns the mean",
    )


Tag = Annotated[str, Field(max_length=200)]

EXAMPLE: dict[str, Any] = {
    "name": "mnist to digits",
    "sources": [{"dataset": "catalog:mnist_5k"}],
    "target": {"dataset": "catalog:digits", "labels_per_class": 3},
    "model": {"backbone": "convnet", "params": {"filters": [16, 32]}, "image_size": [16, 16]},
    "strategies": ["auto"],
    "evaluation": {"seeds": 5},
    "deploy": {"name": "digits", "when": "always"},
}


class JobSpec(Sent):
    """Only `sources` and `target` are required."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: str = Field("", max_length=200)
    kind: Literal["transfer", "rank"] = Field(
        "transfer",
        description="`rank`: say which of the sources suits the target best, by scores of their "
        "features",
    )
    measure: bool = Field(
        False,
        description="of a `rank` job: transfer from every source as well, and report how good the "
        "ranking was",
    )
    task: TaskKind | None = Field(None, description="null: the target dataset's, which it must be")
    sources: Array[Source] = Field(min_length=1, max_length=MOST_SOURCES)
    combine: Literal["each", "joint", "both"] | None = Field(
        None,
        description="with several sources, every strategy starts from `each` alone (`lp_ft@1`), "
        "from one network trained on all of them (`joint`, `lp_ft@all`), or both; null: both where "
        "they can be joined",
    )
    target: Target
    model: BackboneChoice = AutoBackbone()
    strategies: Array[StrategyChoice] = Field((Auto(name="auto"),), min_length=1, max_length=32)
    training: TrainingChoice = TrainingChoice()
    evaluation: Evaluation = Evaluation()
    imbalance: ImbalanceChoice = Field("none", description=IMBALANCE)
    label_noise: LabelNoise = Field("none", description=LABEL_NOISE)
    deploy: Deploy | None = None
    seed: int = Field(0, ge=0, lt=2**31 - 100, description="of the first of evaluation.seeds")
    budget_seconds: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="of training, summed over the trials; what is not done by then is not done, "
        "and the report says what is missing",
    )
    priority: Literal["low", "normal", "high"] = Field(
        "normal",
        description="among the jobs that wait for the same workers; of equal ones a small job is "
        "not stuck behind a long one: they take turns by the minute",
    )
    tags: dict[Tag, Tag] = Field(default_factory=dict, max_length=64)

    @model_validator(mode="before")
    @classmethod
    def _is_no_short_form(cls, data: Any) -> Any:
        refuse_short_form(data)
        return data

    @property
    def trains_arms(self) -> bool:
        """A `rank` job that does not measure only looks at the sources."""
        return self.kind == "transfer" or self.measure


@dataclass(frozen=True)
class ArmSpec:
    """A strategy from some of the sources."""

    strategy: Strategy | AutoArm
    sources: Sources


class ResolvedSpec(JobSpec):
    """Nothing is `auto` any more: what the worker runs."""

    model: Annotated[Backbone, Field(discriminator="backbone")]
    strategies: Array[Annotated[Strategy | AutoArm, Field(discriminator="name")]]  # type: ignore[assignment]  # AutoArm is what Auto became
    training: Training = Training()  # type: ignore[assignment]  # narrower
    task: TaskKind = "classification"
    evaluation: ResolvedEvaluation = ResolvedEvaluation()
    imbalance: Imbalance = "none"
    space: Space = Space()
    classes: Array[str] = ()  # of the outputs: the target's, or, without labels, the source's
    warnings: Array[str] = ()  # about the datasets beside one another
    inputs: Inputs | None = None  # the network's, where datasets may have others: columns, lengths
    columns: Array[SharedColumns] = ()  # of each source, where it and the target are tables
    part: str | None = None  # of `inputs`, that the target's items are, where they are one of these
    source_tasks: Array[TaskKind] = ()  # of each source; () where all are the target's

    def seen(self, schema: Schema) -> Schema:
        """A dataset as the job's network sees it."""
        return schema.model_copy(update={"inputs": self.inputs}) if self.inputs else schema

    def adoption(self, place: int | None = None) -> Adopting | None:
        """Says how items of the source at `place`, or of the target, become the network's; None
        where they are already."""
        if isinstance(self.inputs, TextInputs):
            return Lengthened(self.inputs)
        if isinstance(self.inputs, JoinedInputs):
            return JoinedAdoption(self.inputs, self.part if place is None else None)
        if not isinstance(self.inputs, TableInputs):
            return None
        if place is not None:
            return Adoption(self.inputs, self.columns[place].names)
        return Adoption(self.inputs, {column.name: column.name for column in self.inputs.columns})

    def task_of(self, sources: Sources) -> TaskKind:
        """Task that a network of these sources is trained for: several as one have one."""
        return self.source_tasks[sources[0]] if sources and self.source_tasks else self.task

    @property
    def metric(self) -> Metric:
        """Metric by which the job is decided, with its direction."""
        return metric_of(self.task, self.evaluation.primary_metric)

    @property
    def has_classes(self) -> bool:
        return TASKS[self.task].has_classes

    @property
    def items_word(self) -> str:
        """Word for the items in sentences."""
        modality = self.inputs.modality if self.inputs else "image"
        words = {"table": "rows", "text": "texts", "features": "texts", "joined": "items"}
        return words.get(modality, "pictures")

    @property
    def budget_words(self) -> str:
        """The job's own label budget, in words."""
        return budget_words(self.target.budget, self.task)

    @property
    def source_sets(self) -> dict[str, Sources]:
        """Sets of sources that arms start from: the suffix of their names -> the sources."""
        if len(self.sources) == 1:
            return {"": (0,)}
        each: dict[str, Sources] = {
            f"@{number + 1}": (number,) for number in range(len(self.sources))
        }
        joint = {"@all": tuple(range(len(self.sources)))}
        match self.combine:
            case "each":
                return each
            case "joint":
                return joint
        return {**each, **joint}

    @property
    def arms(self) -> dict[str, ArmSpec]:
        """Name of the arm -> what it is; a strategy that stands twice is numbered."""
        if not self.trains_arms:
            return {}
        arms: dict[str, ArmSpec] = {}
        names: list[str] = []
        for strategy in self.strategies:
            again = names.count(strategy.name)
            names.append(strategy.name)
            name = f"{strategy.name}_{again + 1}" if again else strategy.name
            arms |= {f"{name}{end}": ArmSpec(strategy, of) for end, of in self.source_sets.items()}
        return arms

    @property
    def serves_references(self) -> bool:
        """Tells whether a model without a network can be packaged: one of texts cannot."""
        return not isinstance(self.inputs, TextInputs | FeaturesInputs)

    @property
    def references(self) -> dict[str, PlannedReference]:
        """References by the names of their trials."""
        return {reference.arm: reference for reference in self.evaluation.references}

    @property
    def baseline_arm(self) -> str:
        return BASELINE if self.target.use_labels else SOURCE_ONLY

    @property
    def baseline_sources(self) -> Sources:
        """Scratch needs none; without target labels it is the network of all sources, where there
        is one, or of the first."""
        sets = self.source_sets
        return () if self.target.use_labels else sets.get("@all", next(iter(sets.values())))

    @property
    def compared(self) -> tuple[str, ...]:
        """Arms that are no transfer, the baseline first."""
        return (BASELINE,) if self.target.use_labels else (SOURCE_ONLY, SUPERVISED)

    @property
    def budgets(self) -> tuple[int | None, ...]:
        """Label budgets at which every arm is trained: the job's own and the learning curve's,
        each once, rising; None, all labels, is the last."""
        wanted = {self.target.budget, *(self.evaluation.learning_curve or ())}
        return tuple(sorted(wanted, key=lambda budget: inf if budget is None else budget))

    def with_datasets(self, sources: list[str], target: str) -> "ResolvedSpec":
        """The same job with its datasets named by id."""
        named = [
            source.model_copy(update={"dataset": reference}) if source.dataset else source
            for source, reference in zip(self.sources, sources, strict=True)
        ]
        return self.model_copy(
            update={
                "sources": tuple(named),
                "target": self.target.model_copy(update={"dataset": target}),
            }
        )


def budget_words(budget: int | None, task: TaskKind) -> str:
    """`5 labels per class`, `50 labels`, `all labels`."""
    if budget is None:
        return "all labels"
    return f"{budget} {TASKS[task].budget.replace('_', ' ')}"


class Choice(BaseModel):
    """One decision that `auto` took."""

    field: str
    chosen: Any
    reason: str
