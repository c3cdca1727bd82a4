"""Refusals of a job before it starts: findings against the datasets' schemas."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from app.datasets.schemas import Schema
from app.errors import Coded, Finding
from app.spec.applicability import applicable, obstacle
from app.spec.backbones import CATALOGUE, AutoBackbone, Backbone
from app.spec.batches import batch_findings
from app.spec.crossing import crossed, crosses, crossing_findings
from app.spec.deploy_checks import deploy_findings
from app.spec.model_choice import ModelChoice
from app.spec.networks import shown_at
from app.spec.references import reference_findings
from app.spec.slice_checks import slice_findings
from app.spec.sources import SourceFacts, first_network, joint_obstacle
from app.spec.table_matching import column_findings, tables_of
from app.spec.task_checks import task_findings
from app.spec.training import Augmentation
from app.spec.unlabelled import unlabelled_findings

if TYPE_CHECKING:
    from app.spec.spec import JobSpec

MOST_TRIALS = 10_000


def findings(spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema) -> list[Coded]:
    """Everything that is wrong, at once."""
    found = list(crossing_findings(spec, sources, target))
    if found and crosses(sources, target):
        return found
    given, target = target, crossed(spec, sources, target)
    tables = {table.place for table in tables_of(spec.sources, sources, target)}
    for place, facts in enumerate(sources):
        pointer = f"#/sources/{place}"
        resized = _image_size(spec, sources, target)
        if place not in tables:
            found += [
                ("shape_mismatch", Finding(detail, "#/target/dataset"))
                for detail in target.inputs.mismatches(facts.schema.inputs, resized)
            ]
        found += _dataset_findings(facts, f"{pointer}/dataset")
    found += [
        *column_findings(spec, sources, target),
        *_model_findings(spec, sources, target),
        *_network_findings(spec, target),
        *batch_findings(spec, sources, target),
        *_target_findings(spec, target),
        *_combination_findings(spec, sources),
        *_strategy_findings(spec, sources, given),
        *task_findings(spec, sources, target),
        *unlabelled_findings(spec, sources, given),
        *slice_findings(spec, given),
        *reference_findings(spec, given),
        *deploy_findings(spec),
        *_plan_findings(spec, len(sources)),
    ]
    return list(dict.fromkeys(found))


def _image_size(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> tuple[int, int] | None:
    """Size to which images are resized: a source network's, where the job's is open."""
    model = spec.model
    if not isinstance(model, AutoBackbone):
        return shown_at(model, target)
    first = first_network(sources)
    return shown_at(first, target) if first and model.image_size is None else model.image_size


def _network_findings(spec: "JobSpec", target: Schema) -> Iterator[Coded]:
    model, wanted, got = spec.model, None, target.inputs.modality
    if got != "table" and spec.training.hidden_columns:
        detail = f"expected no hidden_columns for a {got}, which has no columns; leave it out"
        yield "not_a_table", Finding(detail, "#/training/hidden_columns")
    for setting in ("hidden_parts", "parts_alone"):
        if got != "joined" and getattr(spec.training, setting):
            detail = f"expected no {setting} for a {got}, which is one part; leave it out"
            yield "not_joined", Finding(detail, f"#/training/{setting}")
    if target.inputs.sides is None:
        yield from _picture_findings(spec, got)
    if isinstance(model, AutoBackbone):  # what it becomes fits
        return
    wanted = CATALOGUE[model.backbone].modality
    taken = {got} if not target.inputs.has_quantities else {None, got}
    if wanted not in taken:
        able = ", ".join(name for name, e in CATALOGUE.items() if e.modality in taken)
        detail = f"expected a backbone for {got}s ({able}), got {model.backbone}, which is for "
        what = f"{wanted}s" if wanted else "items that are quantities"
        yield "backbone_does_not_fit", Finding(f"{detail}{what}", "#/model/backbone")
    elif found := _misfit(model, target):
        yield found


def _misfit(model: Backbone, target: Schema) -> Coded | None:
    """Why there is no such network for the target's items, at the size that it sees them in."""
    sized = model.model_copy(update={"image_size": shown_at(model, target)})
    return model.params.misfit(sized.seen(target.inputs.layout))


def _picture_findings(spec: "JobSpec", modality: str) -> Iterator[Coded]:
    """What can only be done to pictures."""
    if spec.model.image_size is not None:
        detail = f"expected no image_size for a {modality}, which has no sides; leave it out"
        yield "not_a_picture", Finding(detail, "#/model/image_size")
    augmentation = spec.training.augmentation
    if isinstance(augmentation, Augmentation) and augmentation.mirror:
        detail = f"expected no mirror for a {modality}, which has no left and right; leave it out"
        yield "not_a_picture", Finding(detail, "#/training/augmentation/mirror")


def _model_findings(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Iterator[Coded]:
    """Tells whether the source models' weights fit the job's network: the first one's where it is
    open.

    A network is not the same at another image size, though the size matters to dense layers alone.
    """
    first = first_network(sources)
    wanted: Backbone | AutoBackbone = spec.model
    if spec.model.backbone == "auto" and first:
        asked = spec.model.model_fields_set - {"backbone", "params"}
        wanted = first.model_copy(update={name: getattr(spec.model, name) for name in asked})
    if not isinstance(wanted, AutoBackbone):
        wanted = wanted.model_copy(update={"image_size": shown_at(wanted, target)})
    for place, facts in enumerate(sources):
        if facts.network and _sized(facts, facts.network, facts.schema) != _sized(
            facts, wanted, target
        ):
            detail = (
                f"expected a model whose weights fit the network {wanted.model_dump_json()}, got "
                f"one of {facts.network.model_dump_json()}; without `model` the job takes the "
                "first source model's"
            )
            kind = "backbone" if facts.is_general else "model"
            yield "weights_do_not_fit", Finding(detail, f"#/sources/{place}/{kind}")
        elif facts.network and facts.is_general and (found := _misfit(facts.network, target)):
            yield found


def _sized(facts: SourceFacts, network: ModelChoice, schema: Schema) -> dict[str, Any]:
    """Adds the size that its images have, where the source's weights are for one size."""
    size = None if facts.is_general else network.image_size or schema.inputs.sides
    return network.model_dump() | {"image_size": size}


def _dataset_findings(facts: SourceFacts, pointer: str) -> Iterator[Coded]:
    if not facts.has_data:
        return
    yield from _class_findings(facts.schema, pointer)
    if not facts.schema.splits.get("train"):
        yield "empty_split", Finding("expected items in the split `train`, got none", pointer)
    elif not facts.schema.has_labels("train"):
        detail = "expected labels in the source's training split, got none"
        yield "no_labels", Finding(detail, pointer)


def _target_findings(spec: "JobSpec", target: Schema) -> Iterator[Coded]:
    pointer = "#/target/dataset"
    if spec.target.use_labels or target.classes:
        yield from _class_findings(target, pointer)
    for split in ("train", "test"):
        if not target.splits.get(split):
            yield (
                "empty_split",
                Finding(f"expected items in the split `{split}`, got none", pointer),
            )
    if spec.target.use_labels:
        for split in ("train", "test"):
            if target.splits.get(split) and not target.has_labels(split):
                detail = (
                    f"expected labels in the target's {split} split, got none; with "
                    "target.use_labels false a job adapts without them"
                )
                yield "no_labels", Finding(detail, pointer)
    elif spec.target.budget or spec.evaluation.learning_curve:
        detail = "expected no label budget where target.use_labels is false, got one"
        where = f"target/{target.task.budget}" if spec.target.budget else None
        yield "labels_not_used", Finding(detail, f"#/{where or 'evaluation/learning_curve'}")


def _class_findings(schema: Schema, pointer: str) -> Iterator[Coded]:
    if (
        schema.task.has_classes and len(schema.classes) == 1
    ):  # none: no labels either, which is told apart
        detail = f"expected at least 2 classes, got {len(schema.classes)}"
        yield "one_class", Finding(detail, pointer)


def _combination_findings(spec: "JobSpec", sources: Sequence[SourceFacts]) -> Iterator[Coded]:
    if spec.kind == "rank":
        if len(sources) < 2:
            detail = "expected at least 2 sources to rank, got 1"
            yield "one_candidate", Finding(detail, "#/sources")
        elif spec.combine == "joint":
            detail = "expected sources that are ranked one by one, got `joint`: all as one"
            yield "one_candidate", Finding(detail, "#/combine")
        if not spec.target.use_labels:
            detail = "expected target.use_labels true: sources are ranked by the target's labels"
            yield "rank_needs_labels", Finding(detail, "#/target/use_labels")
    elif spec.measure:
        detail = "expected `measure` only with the kind `rank`"
        yield "measure_needs_rank", Finding(detail, "#/measure")
    seen: dict[str, int] = {}
    for place, source in enumerate(spec.sources):
        if source.reference in seen:
            detail = f"expected each source once, got that of #/sources/{seen[source.reference]}"
            yield "repeated_source", Finding(detail, f"#/sources/{place}")
        seen[source.reference] = place
    joins = spec.combine in {"joint", "both"} and len(sources) > 1
    if joins and (reason := joint_obstacle(sources)):
        detail = f"expected sources that one network can be trained on, but {reason}"
        yield "cannot_join", Finding(detail, "#/combine")


def _strategy_findings(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Iterator[Coded]:
    """Strategies that cannot apply, each by its name, and those that can."""
    for place, strategy in enumerate(spec.strategies):
        if strategy.name == "auto":
            continue
        if found := obstacle(strategy.name, spec, sources, target):
            code, reason = found
            able = ", ".join(applicable(spec, sources, target))
            others = f"there are {able}" if able else "no other strategy applies either"
            detail = f"{strategy.name}: {reason}; {others}{_distances(sources)}"
            yield code, Finding(detail, f"#/strategies/{place}")
    if not applicable(spec, sources, target) and any(s.name == "auto" for s in spec.strategies):
        _, reason = obstacle("mcc", spec, sources, target) or ("", "")
        detail = f"auto: no strategy applies: {reason}"
        yield "label_space_mismatch", Finding(detail, "#/strategies")


def _distances(sources: Sequence[SourceFacts]) -> str:
    known = [
        f"{apart:.2f}"
        for facts in sources
        if (found := facts.distance()) and (apart := found["proxy_a_distance"]) is not None
    ]
    if not known:
        return ""
    return f". Proxy A-distance of the domains' items, 0 (alike) to 2: {', '.join(known)}"


def _plan_findings(spec: "JobSpec", sources: int) -> Iterator[Coded]:
    evaluation = spec.evaluation
    if evaluation.pretrain_seeds > evaluation.seeds:
        detail = (
            f"expected at most {evaluation.seeds} pretrainings, as many as evaluation.seeds, "
            f"got {evaluation.pretrain_seeds}"
        )
        yield "too_many_pretrain_seeds", Finding(detail, "#/evaluation/pretrain_seeds")
    starts = sources + 1 if sources > 1 and spec.combine != "each" else sources
    arms = len(spec.strategies) * starts + evaluation.baseline
    budgets = len({spec.target.budget, *(evaluation.learning_curve or ())})
    trials = arms * evaluation.seeds * budgets
    if trials > MOST_TRIALS:
        detail = (
            f"expected at most {MOST_TRIALS} trials, got {trials}: {arms} arms x "
            f"{evaluation.seeds} seeds x {budgets} label budgets"
        )
        yield "too_many_trials", Finding(detail, "#/evaluation")
