"""What a user POSTs.

`resolve` turns a spec with `auto` in it into one that says everything, with the reasons; a job that
cannot run is refused here (app/jobs/checks.py), with the field that is wrong.
"""

from math import ceil, inf
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.datasets.schemas import Schema
from app.errors import Invalid
from app.jobs import checks
from app.jobs.backbones import AutoBackbone, Backbone, BackboneChoice, Convnet, Mlp
from app.jobs.strategies import Auto, LpFt, Strategy, StrategyChoice
from app.jobs.training import Part, Training

CONVNET_FROM_ITEMS = 500
BASELINE_STEPS = 2000


class Source(Part):
    dataset: str = Field(description="`ds_…` or `catalog:NAME`")


LabelsPerClass = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Target(Part):
    dataset: str = Field(description="`ds_…` or `catalog:NAME`")
    labels_per_class: LabelsPerClass | None = Field(
        None, description="train on so many labels a class, stratified; null: on all"
    )


class Evaluation(Part):
    seeds: int = Field(5, ge=1, le=100)
    pretrain_seeds: int = Field(
        1,
        ge=1,
        le=100,
        description="pretrainings that the seeds share out among themselves: 1 for all, or as many "
        "as `seeds`, so that the intervals tell how much the pretraining varies as well",
    )
    learning_curve: tuple[LabelsPerClass | None, ...] | None = Field(
        None,
        max_length=32,
        description="labels a class at which every arm is trained besides "
        "`target.labels_per_class`; null among them: all labels; the same again counts once",
    )
    baseline: bool = Field(True, description="train the same network from scratch as well")
    primary_metric: Literal["accuracy", "f1_macro", "balanced_accuracy"] = "accuracy"
    confidence: float = Field(0.95, gt=0.5, lt=1)


DEPLOYMENT_NAME = r"^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$"


class Deploy(Part):
    name: str = Field(pattern=DEPLOYMENT_NAME)
    when: Literal["beats_baseline", "always"] = "beats_baseline"


Tag = Annotated[str, Field(max_length=200)]

EXAMPLE: dict[str, Any] = {
    "name": "mnist to digits",
    "sources": [{"dataset": "catalog:mnist_5k"}],
    "target": {"dataset": "catalog:digits", "labels_per_class": 5},
    "model": {"backbone": "convnet", "image_size": [16, 16]},
    "strategies": ["lp_ft", {"name": "fine_tune", "params": {"backbone_rate": 0.1}}],
    "training": {"epochs": 60, "pretrain_epochs": 5, "batch_size": 64},
    "evaluation": {"seeds": 5},
    "deploy": {"name": "digits", "when": "beats_baseline"},
}


class JobSpec(Part):
    """Only `sources` and `target` are required."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]}
    )

    name: str = Field("", max_length=200)
    task: Literal["classification"] = "classification"
    sources: tuple[Source, ...] = Field(min_length=1, max_length=1)
    target: Target
    model: BackboneChoice = AutoBackbone()
    strategies: tuple[StrategyChoice, ...] = Field(
        (Auto(name="auto"),), min_length=1, max_length=32
    )
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    deploy: Deploy | None = None
    seed: int = Field(0, ge=0, lt=2**31 - 100, description="of the first of evaluation.seeds")
    budget_seconds: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="of training, summed over the trials; what is not done by then is not done, "
        "and the report says what is missing",
    )
    tags: dict[Tag, Tag] = Field(default_factory=dict, max_length=64)


class ResolvedSpec(JobSpec):
    """Nothing is `auto` any more: what the worker runs."""

    model: Annotated[Backbone, Field(discriminator="backbone")]
    strategies: tuple[Annotated[Strategy, Field(discriminator="name")], ...]

    @property
    def arms(self) -> dict[str, Strategy]:
        """Name of the arm -> its strategy; a strategy that stands twice is numbered."""
        arms: dict[str, Strategy] = {}
        for strategy in self.strategies:
            again = sum(other.name == strategy.name for other in arms.values())
            arms[f"{strategy.name}_{again + 1}" if again else strategy.name] = strategy
        return arms

    @property
    def budgets(self) -> tuple[int | None, ...]:
        """Labels a class at which every arm is trained: the job's own and the learning curve's,
        each once, rising; None, all labels, is the last."""
        wanted = {self.target.labels_per_class, *(self.evaluation.learning_curve or ())}
        return tuple(sorted(wanted, key=lambda budget: inf if budget is None else budget))

    def baseline_epochs(self, items: int) -> int:
        """Epochs of scratch on `items` training items: as many as the longest arm's, as long as
        those are no more than BASELINE_STEPS steps. Where labels are few, the epochs that a
        pretrained network needs are too few for random weights, and an undertrained baseline would
        make any transfer look good."""
        longest = max(strategy.epochs(self.training.epochs) for strategy in self.strategies)
        affordable = BASELINE_STEPS // ceil(items / self.training.batch_size)
        return max(self.training.epochs, min(longest, affordable))

    def with_datasets(self, sources: list[str], target: str) -> "ResolvedSpec":
        """The same job with its datasets named by id."""
        return self.model_copy(
            update={
                "sources": tuple(Source(dataset=source) for source in sources),
                "target": self.target.model_copy(update={"dataset": target}),
            }
        )


class Choice(BaseModel):
    """One decision that `auto` took."""

    field: str
    chosen: Any
    reason: str


def resolve(spec: JobSpec, source: Schema, target: Schema) -> tuple[ResolvedSpec, list[Choice]]:
    """Raises Invalid with every finding at once."""
    if findings := checks.findings(spec, source, target):
        (code, first), *_ = findings
        raise Invalid(code, first.detail, *(finding for _, finding in findings))
    choices: list[Choice] = []
    model = spec.model
    if isinstance(model, AutoBackbone):
        model, choice = _choose_backbone(model, source)
        choices.append(choice)
    strategies: list[Strategy] = []
    for strategy in spec.strategies:
        if isinstance(strategy, Auto):
            chosen = LpFt(name="lp_ft")
            reason = "the target has labels: a linear probe before fine-tuning is the safest start"
            choices.append(Choice(field="strategies", chosen="lp_ft", reason=reason))
            strategies.append(chosen)
        else:
            strategies.append(strategy)
    fields = spec.model_dump(exclude={"model", "strategies"})
    return ResolvedSpec(**fields, model=model, strategies=tuple(strategies)), choices


def _choose_backbone(auto: AutoBackbone, source: Schema) -> tuple[Backbone, Choice]:
    items = source.splits["train"]
    if items >= CONVNET_FROM_ITEMS and min(auto.image_size or source.shape[:2]) >= 8:
        reason = f"images, and {items} of them in the source: convolutions use their neighbourhoods"
        chosen: Backbone = Convnet(backbone="convnet", image_size=auto.image_size)
    else:
        reason = f"only {items} images in the source: a small network"
        chosen = Mlp(backbone="mlp", image_size=auto.image_size)
    return chosen, Choice(field="model.backbone", chosen=chosen.backbone, reason=reason)
