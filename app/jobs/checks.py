"""What of a job can be refused before it starts: findings against the datasets' schemas."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.datasets.schemas import Schema
from app.errors import Finding
from app.jobs.backbones import Convnet, Mobilenet
from app.jobs.strategies import CATALOGUE

if TYPE_CHECKING:
    from app.jobs.spec import JobSpec

MOST_TRIALS = 10_000
SMALLEST_MOBILENET = 32

Coded = tuple[str, Finding]  # the code of the problem that it makes when it is the first


def findings(spec: "JobSpec", source: Schema, target: Schema) -> list[Coded]:
    """Everything that is wrong, at once."""
    return [
        *_shape_findings(spec, source, target),
        *_dataset_findings(source, target),
        *_strategy_findings(spec, source, target),
        *_budget_findings(spec, target),
        *_plan_findings(spec),
    ]


def _shape_findings(spec: "JobSpec", source: Schema, target: Schema) -> Iterator[Coded]:
    if source.shape[2] != target.shape[2]:
        detail = (
            f"expected images with {source.shape[2]} channels as in the source, "
            f"got {target.shape[2]} channels"
        )
        yield "shape_mismatch", Finding(detail, "#/target/dataset")
    if spec.model.image_size is None and source.shape[:2] != target.shape[:2]:
        detail = (
            f"expected images of {_size(source)} as in the source, got {_size(target)}; "
            "set model.image_size to resize both"
        )
        yield "shape_mismatch", Finding(detail, "#/target/dataset")
    if isinstance(spec.model, Convnet):
        side = min(spec.model.image_size or source.shape[:2])
        layers = len(spec.model.params.filters)
        if side >> layers < 1:
            detail = f"expected at most {side.bit_length() - 1} filters for images of side {side}"
            yield "too_many_layers", Finding(f"{detail}, got {layers}", "#/model/params/filters")
    if isinstance(spec.model, Mobilenet):
        size = spec.model.image_size or source.shape[:2]
        if min(size) < SMALLEST_MOBILENET or source.shape[2] not in {1, 3}:
            detail = (
                f"expected images of {SMALLEST_MOBILENET}x{SMALLEST_MOBILENET} or more with 1 or 3 "
                f"channels for mobilenet, got {size[0]}x{size[1]}x{source.shape[2]}; "
                "model.image_size resizes them"
            )
            yield "image_too_small", Finding(detail, "#/model/image_size")


def _dataset_findings(source: Schema, target: Schema) -> Iterator[Coded]:
    for schema, pointer in ((source, "#/sources/0/dataset"), (target, "#/target/dataset")):
        if len(schema.classes) < 2:
            detail = f"expected at least 2 classes, got {len(schema.classes)}"
            yield "one_class", Finding(detail, pointer)
        for split in ("train", "test"):
            if not schema.splits.get(split):
                detail = f"expected items in the split `{split}`, got none"
                yield "empty_split", Finding(detail, pointer)


def _strategy_findings(spec: "JobSpec", source: Schema, target: Schema) -> Iterator[Coded]:
    """Strategies that cannot apply, each by its name, and those that can."""
    if source.classes == target.classes:
        return
    able = [name for name, entry in CATALOGUE.items() if "same_classes" not in entry.needs]
    for place, strategy in enumerate(spec.strategies):
        if strategy.name != "auto" and strategy.name not in able:
            detail = (
                f"expected the same classes in source and target for {strategy.name}, got "
                f"{len(source.classes)} and {len(target.classes)} others; with different classes "
                f"there are {', '.join(able)}"
            )
            yield "label_space_mismatch", Finding(detail, f"#/strategies/{place}")


def _budget_findings(spec: "JobSpec", target: Schema) -> Iterator[Coded]:
    """Label budgets that the target's rarest class cannot fill."""
    counts = target.class_counts["train"]
    if not counts:
        return
    fewest = min(counts)
    rarest = target.classes[counts.index(fewest)]
    wanted = {"#/target/labels_per_class": spec.target.labels_per_class}
    for place, budget in enumerate(spec.evaluation.learning_curve or ()):
        wanted[f"#/evaluation/learning_curve/{place}"] = budget
    for pointer, budget in wanted.items():
        if budget is not None and budget > fewest:
            detail = (
                f"expected at most {fewest} labels a class, as many as the target's rarest class "
                f"`{rarest}` has in its training split, got {budget}"
            )
            yield "too_few_labels", Finding(detail, pointer)


def _plan_findings(spec: "JobSpec") -> Iterator[Coded]:
    evaluation = spec.evaluation
    if evaluation.pretrain_seeds > evaluation.seeds:
        detail = (
            f"expected at most {evaluation.seeds} pretrainings, as many as evaluation.seeds, "
            f"got {evaluation.pretrain_seeds}"
        )
        yield "too_many_pretrain_seeds", Finding(detail, "#/evaluation/pretrain_seeds")
    is_judged = evaluation.baseline and evaluation.seeds > 1
    if spec.deploy and spec.deploy.when == "beats_baseline" and not is_judged:
        detail = (
            "expected evaluation.baseline and at least 2 seeds for `beats_baseline`: without them "
            "nothing can be proven, and nothing would ever be deployed; `always` deploys anyway"
        )
        yield "deploy_needs_evidence", Finding(detail, "#/deploy/when")
    arms = len(spec.strategies) + evaluation.baseline
    budgets = len({spec.target.labels_per_class, *(evaluation.learning_curve or ())})
    trials = arms * evaluation.seeds * budgets
    if trials > MOST_TRIALS:
        detail = (
            f"expected at most {MOST_TRIALS} trials, got {trials}: {arms} arms x "
            f"{evaluation.seeds} seeds x {budgets} label budgets"
        )
        yield "too_many_trials", Finding(detail, "#/evaluation")


def _size(schema: Schema) -> str:
    height, width, channels = schema.shape
    return f"{height}x{width}x{channels}"
