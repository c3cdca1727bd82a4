"""The way from what was POSTed to a job that says everything, with the reasons for what was
chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import Any

from app.datasets.schemas import Schema
from app.errors import Invalid
from app.inputs.joined import JoinedInputs
from app.inputs.joint_columns import Hides
from app.inputs.joint_parts import GivenParts, joint_parts
from app.inputs.text import joint_text
from app.spec import checks
from app.spec.backbones import CATALOGUE, AutoBackbone, Backbone, Fusion
from app.spec.crossing import crossed, pairs_of, shared_part
from app.spec.flaws import Imbalance, compared, decided, loses_smoothing
from app.spec.frozen_photos import frozen
from app.spec.job_warnings import job_warnings
from app.spec.model_choice import ModelChoice
from app.spec.networks import chosen_family, gets_bottleneck, joint_size, shown_at
from app.spec.plan import unlabelled_items
from app.spec.portfolio import Facts, portfolio
from app.spec.pretrained import PRETRAINED
from app.spec.recipes import defaults_of
from app.spec.references import planned_references
from app.spec.scales import PixelScale
from app.spec.sources import (
    Sample,
    SourceFacts,
    first_network,
    joint_classes,
    joint_obstacle,
)
from app.spec.spec import Choice, JobSpec, ResolvedSpec
from app.spec.strategies import Auto, AutoArm, Strategy
from app.spec.strategy_params import LinearProbeParams
from app.spec.table_matching import joint_table, tables_of
from app.spec.training import Space, Training
from app.tasks import TaskKind

# As domain adaptation has it: Ganin et al., JMLR 2016; Liang et al., ICML 2020.
BOTTLENECK, SMOOTHING = 256, 0.1
PRETRAINED_HEAD = {"head_learning_rate": 0.001, "l2": 0.1}  # docs/decisions/pretrained-photos.md
BALANCED = "balanced_accuracy"
_CHOSEN = {"backbone", "params"}


def resolve(
    spec: JobSpec,
    sources: Sequence[SourceFacts],
    target: Schema,
    target_scale: PixelScale | None = None,
    target_sample: Sample = lambda: None,
) -> tuple[ResolvedSpec, list[Choice]]:
    """Raises Invalid with every finding at once."""
    size = joint_size(spec, sources, target)
    if size:
        sized = spec.model.model_copy(update={"image_size": size})
        spec = spec.model_copy(update={"model": sized})
    if findings := checks.findings(spec, sources, target):
        (code, first), *_ = findings
        raise Invalid(code, first.detail, *(finding for _, finding in findings))
    shared, pairs = shared_part(spec, sources, target), pairs_of(spec, sources, target)
    given, target = target, crossed(spec, sources, target)
    tables = tables_of(spec.sources, sources, target)
    resolution = _Resolution(spec, sources, target, pairs)
    if size:
        reason = "source and target differ in size, and the network sees one: it scales them itself"
        resolution.chose("model.image_size", list(size), reason)
    combine = resolution.combine()
    hides: Hides | None = None
    if resolution.training.hidden_columns:
        hides = "all" if "hidden_columns" in spec.training.model_fields_set else "lacking"
    inputs = (
        resolution.model.features
        or joint_table(tables, target, spec.target.use_labels, hides)
        or joint_text(target.inputs, [facts.schema.inputs for facts in sources if facts.has_data])
        or _joint_parts(spec, resolution.model, sources, target)
    )
    fields = spec.model_dump(
        exclude={"model", "strategies", "training", "combine", "task", "imbalance"}
    )
    fields["evaluation"]["primary_metric"] = resolution.primary_metric
    fields["evaluation"]["references"] = planned_references(spec, sources, given)
    resolved = ResolvedSpec(
        **fields,
        task=target.task.kind,
        combine=combine,
        model=resolution.model,
        training=resolution.training,
        imbalance=resolution.imbalance(),
        space=resolution.space(),
        classes=resolution.classes,
        strategies=resolution.strategies(),
        warnings=job_warnings(spec, sources, target_scale, pairs),
        inputs=inputs,
        part=shared.name if shared else None,
        source_tasks=_source_tasks(sources, target),
        columns=tuple(
            table.told(spec.sources[table.place].columns, target_sample()) for table in tables
        ),
    )
    return resolved, resolution.choices


def _source_tasks(sources: Sequence[SourceFacts], target: Schema) -> tuple[TaskKind, ...]:
    if all(facts.is_of(target) for facts in sources):
        return ()
    own = target.task.kind
    return tuple(own if f.is_of(target) else f.schema.task.kind for f in sources)


def _joint_parts(
    spec: JobSpec, model: Backbone, sources: Sequence[SourceFacts], target: Schema
) -> JoinedInputs | None:
    given = [
        GivenParts(facts.schema.inputs, facts.schema.splits.get("train", 1), not facts.has_data)
        for facts in sources
    ]
    rows = target.splits.get("train", 1)
    joint = joint_parts(target.inputs, rows, given, spec.target.use_labels)
    if joint is None or not isinstance(model, Fusion) or model.params.photos is None:
        return joint
    photos, parts = model.params.photos, model.params.looked_at(joint.layout)
    digest = PRETRAINED[photos.reference].digest
    return frozen(joint, photos, model.image_size, digest, {part.name for part in parts})


@dataclass
class _Resolution:
    spec: JobSpec
    sources: Sequence[SourceFacts]
    target: Schema
    pairs: int = 0  # of the target's part and others, in a source
    choices: list[Choice] = field(default_factory=list)

    @property
    def classes(self) -> tuple[str, ...]:
        if self.target.has_labels("train"):
            return self.target.classes
        return joint_classes([facts.schema for facts in self.sources])

    @property
    def primary_metric(self) -> str:
        said = self.spec.evaluation.primary_metric
        if said is None and compared(self.spec, self.target):
            reason = "choices of `imbalance` are compared, and accuracy hardly sees rare classes"
            self.chose("evaluation.primary_metric", BALANCED, reason)
            return BALANCED
        return said or self.target.task.default_metric

    def combine(self) -> Any:
        if len(self.sources) == 1:
            return "each"
        if self.spec.combine:
            return self.spec.combine
        obstacle = "a ranking compares them" if self.spec.kind == "rank" else None
        obstacle = obstacle or joint_obstacle(self.sources)
        combine = "each" if obstacle else "both"
        reason = f"each source alone: {obstacle}" if obstacle else "each source alone, and all"
        self.chose("combine", combine, reason)
        return combine

    @cached_property
    def model(self) -> Backbone:
        given = self.spec.model
        trained = first_network(self.sources)
        if isinstance(given, AutoBackbone) and trained:
            self.chose("model", trained.backbone, "as the source model has it")
            size = given.image_size or trained.image_size
            return self._shown(trained.model_copy(update={"image_size": size}))
        chosen = self._backbone(given) if isinstance(given, AutoBackbone) else given
        chosen = self._shown(chosen)
        if gets_bottleneck(self.spec, self.sources):
            chosen = chosen.model_copy(update={"bottleneck": BOTTLENECK})
            self.chose("model.bottleneck", BOTTLENECK, "domain adaptation is done on its features")
        return chosen

    def _shown(self, model: Backbone) -> Backbone:
        """With the size that pictures are brought to, where the network has one of its own."""
        size = shown_at(model, self.target)
        if size is None or model.image_size:
            return model
        self.chose("model.image_size", list(size), f"as {model.backbone} sees such pictures best")
        return model.model_copy(update={"image_size": size})

    @cached_property
    def training(self) -> Training:
        given, entry = self.spec.training, CATALOGUE[self.model.backbone]
        fields = given.model_dump()
        for name, value in fields.items():
            if value == "auto" and name != "precision":
                # Which views, the searches choose.
                fields[name] = entry.recipe.get(name, Training.model_fields[name].default)
        for setting, value, reason in defaults_of(self.model, self.spec, self.sources, self.target):
            fields[setting] = value
            self.chose(f"training.{setting}", value, reason)
        is_open = "label_smoothing" not in given.model_fields_set and not loses_smoothing(self.spec)
        if not self.spec.target.use_labels and is_open:
            fields["label_smoothing"] = SMOOTHING
            reason = "the source's classes lie further apart (Liang et al., ICML 2020)"
            self.chose("training.label_smoothing", SMOOTHING, reason)
        self._say_augmentation()
        return Training(**fields)

    def _say_augmentation(self) -> None:
        given = self.spec.training
        is_asked = "augmentation" in given.model_fields_set and given.augmentation == "auto"
        if is_asked and not self.spec.target.use_labels:
            reason = "invariant information, by which arms are chosen, is of changed items itself"
            self.chose("training.augmentation", None, reason)

    def imbalance(self) -> Imbalance:
        chosen, reason = decided(self.spec, self.target)
        if reason:
            self.chose("imbalance", list(compared(self.spec, self.target)) or chosen, reason)
        return chosen

    def space(self) -> Space:
        given = self.spec.training
        return Space(
            learning_rate=given.learning_rate == "auto",
            weight_decay=given.weight_decay == "auto",
            epochs=given.epochs == "auto",
            augmentation=given.augmentation == "auto" and self.spec.target.use_labels,
            imbalance=compared(self.spec, self.target),
        )

    def strategies(self) -> tuple[Strategy | AutoArm, ...]:
        chosen: list[Strategy | AutoArm] = []
        for strategy in self.spec.strategies:
            if isinstance(strategy, Auto):
                found = portfolio(self._facts())
                able, reason = tuple(map(self._pulled, found.strategies)), found.reason
                only = able[0] if len(able) == 1 else None
                names = only.name if only else [each.name for each in able]
                self.chose("strategies", names, reason)
                chosen.append(only or AutoArm(name="auto", portfolio=able))
            else:
                chosen.append(self._pulled(strategy))
        return tuple(chosen)

    def _pulled(self, strategy: Strategy) -> Strategy:
        """Adds the rate and the pull of a head on a pretrained network's many features, where the
        job leaves them open."""
        params = strategy.params
        if not isinstance(params, LinearProbeParams):
            return strategy
        if not any(facts.is_general for facts in self.sources):
            return strategy
        reason = "what a head on pretrained features, more than most jobs' items, was best with"
        found = {n: v for n, v in PRETRAINED_HEAD.items() if n not in params.model_fields_set}
        for name, value in found.items():
            self.chose(f"strategies.{strategy.name}.params.{name}", value, reason)
        pulled: Strategy = strategy.model_copy(update={"params": params.model_copy(update=found)})
        return pulled

    def _facts(self) -> Facts:
        spec, target = self.spec, self.target
        counts = target.class_counts["train"]
        items = sum(target.task.strata(counts, spec.target.budget))
        items = items if spec.target.use_labels else target.splits["train"]
        classes = self.classes
        training = self.training
        return Facts(
            items=items,
            classes=len(classes),
            same_classes=all(
                facts.is_of(target) and set(facts.schema.classes) == set(classes)
                for facts in self.sources
            ),
            has_classes=target.task.has_classes,
            source_data=all(facts.has_data for facts in self.sources),
            source_head=all(facts.has_head for facts in self.sources),
            source_classes=all(facts.tells_classes for facts in self.sources),
            target_labels=spec.target.use_labels,
            pairs=self.pairs,
            unlabelled=unlabelled_items(target, spec.target.budget),
            use_unlabelled=spec.target.takes_unlabelled,
            steps=training.epochs * ceil(items / training.batch_size),
            modality=target.inputs.modality,
        )

    def _backbone(self, auto: ModelChoice) -> Backbone:
        family, reason = chosen_family(auto, self.sources, self.target)
        self.chose("model.backbone", family, reason)
        chosen = {"backbone": family, **auto.model_dump(exclude=_CHOSEN)}
        return CATALOGUE[family].choice.model_validate(chosen)

    def chose(self, field: str, chosen: Any, reason: str) -> None:
        self.choices.append(Choice(field=field, chosen=chosen, reason=reason))
