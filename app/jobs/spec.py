"""What a user POSTs, and its checks against the datasets' schemas.

`resolve` turns a spec with `auto` in it into one that says everything, with the reasons; a job that
cannot run is refused here, with the field that is wrong.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.datasets.schemas import Schema
from app.errors import Finding, Invalid
from app.jobs.backbones import AutoBackbone, BackboneChoice, Convnet, Mlp
from app.jobs.strategies import Auto, LpFt, Strategy, StrategyChoice

CONVNET_FROM_ITEMS = 500


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Part):
    dataset: str = Field(description="`ds_…` or `catalog:NAME`")


class Target(Part):
    dataset: str = Field(description="`ds_…` or `catalog:NAME`")
    labels_per_class: int | None = Field(
        None,
        ge=1,
        le=2**31 - 1,
        description="train on so many labels a class, stratified; null: on all",
    )


class Training(Part):
    epochs: int = Field(10, ge=1, le=100_000)
    pretrain_epochs: int | None = Field(
        None, ge=1, le=100_000, description="epochs on the source; null: as `epochs`"
    )
    batch_size: int = Field(64, ge=1, le=65_536)
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: float = Field(0.001, gt=0, le=10)
    weight_decay: float = Field(0.0, ge=0, le=1)
    validation_fraction: float = Field(
        0.1, gt=0, lt=1, description="cut from the training data, stratified; never from the test's"
    )


class Evaluation(Part):
    seeds: int = Field(5, ge=1, le=100)
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
    seed: int = Field(0, ge=0, lt=2**31)
    tags: dict[Tag, Tag] = Field(default_factory=dict, max_length=64)


class ResolvedSpec(JobSpec):
    """Nothing is `auto` any more: what the worker runs."""

    model: Annotated[Mlp | Convnet, Field(discriminator="backbone")]
    strategies: tuple[Annotated[Strategy, Field(discriminator="name")], ...]

    @property
    def arms(self) -> dict[str, Strategy]:
        """Name of the arm -> its strategy; a strategy that stands twice is numbered."""
        arms: dict[str, Strategy] = {}
        for strategy in self.strategies:
            again = sum(other.name == strategy.name for other in arms.values())
            arms[f"{strategy.name}_{again + 1}" if again else strategy.name] = strategy
        return arms

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
    findings = [*_shape_findings(spec, source, target), *_label_findings(spec, source, target)]
    if findings:
        code = findings[0][0]
        raise Invalid(code, findings[0][1].detail, *(finding for _, finding in findings))
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


def _choose_backbone(auto: AutoBackbone, source: Schema) -> tuple[Mlp | Convnet, Choice]:
    items = source.splits["train"]
    if items >= CONVNET_FROM_ITEMS and min(auto.image_size or source.shape[:2]) >= 8:
        reason = f"images, and {items} of them in the source: convolutions use their neighbourhoods"
        chosen: Mlp | Convnet = Convnet(backbone="convnet", image_size=auto.image_size)
    else:
        reason = f"only {items} images in the source: a small network"
        chosen = Mlp(backbone="mlp", image_size=auto.image_size)
    return chosen, Choice(field="model.backbone", chosen=chosen.backbone, reason=reason)


Coded = tuple[str, Finding]


def _shape_findings(spec: JobSpec, source: Schema, target: Schema) -> list[Coded]:
    findings: list[Coded] = []
    if source.shape[2] != target.shape[2]:
        detail = (
            f"expected images with {source.shape[2]} channels as in the source, "
            f"got {target.shape[2]} channels"
        )
        findings.append(("shape_mismatch", Finding(detail, "#/target/dataset")))
    if spec.model.image_size is None and source.shape[:2] != target.shape[:2]:
        detail = (
            f"expected images of {_size(source)} as in the source, got {_size(target)}; "
            "set model.image_size to resize both"
        )
        findings.append(("shape_mismatch", Finding(detail, "#/target/dataset")))
    if isinstance(spec.model, Convnet):
        side = min(spec.model.image_size or source.shape[:2])
        layers = len(spec.model.params.filters)
        if side >> layers < 1:
            detail = f"expected at most {side.bit_length() - 1} filters for images of side {side}"
            finding = Finding(f"{detail}, got {layers}", "#/model/params/filters")
            findings.append(("too_many_layers", finding))
    return findings


def _label_findings(spec: JobSpec, source: Schema, target: Schema) -> list[Coded]:
    findings: list[Coded] = []
    for schema, pointer in ((source, "#/sources/0/dataset"), (target, "#/target/dataset")):
        if len(schema.classes) < 2:
            detail = f"expected at least 2 classes, got {len(schema.classes)}"
            findings.append(("one_class", Finding(detail, pointer)))
        for split in ("train", "test"):
            if not schema.splits.get(split):
                detail = f"expected items in the split `{split}`, got none"
                findings.append(("empty_split", Finding(detail, pointer)))
    wanted = spec.target.labels_per_class
    counts = target.class_counts["train"]
    fewest = min(counts, default=0)
    if wanted is not None and counts and wanted > fewest:
        rarest = target.classes[counts.index(fewest)]
        detail = (
            f"expected at most {fewest} labels a class, as many as the target's rarest class "
            f"`{rarest}` has in its training split, got {wanted}"
        )
        finding = Finding(detail, "#/target/labels_per_class")
        findings.append(("too_few_labels", finding))
    return findings


def _size(schema: Schema) -> str:
    height, width, channels = schema.shape
    return f"{height}x{width}x{channels}"
