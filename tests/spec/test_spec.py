"""A job that cannot run is refused, with the field that is wrong; `auto` says what it chose."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.datasets.schemas import Schema
from app.errors import Invalid
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from app.spec.spec import EXAMPLE, JobSpec, ResolvedSpec
from tests.jobs.factories import SCHEMA
from tests.schemas import changed

SOURCES = [SourceFacts(SCHEMA)]
MINIMAL: dict[str, Any] = {"sources": [{"dataset": "ds_1"}], "target": {"dataset": "ds_2"}}


def schema(**fields: Any) -> Schema:
    return changed(SCHEMA, **fields)


def spec(**fields: Any) -> JobSpec:
    return JobSpec.model_validate({**MINIMAL, **fields})


def refusal(spec: JobSpec, source: Schema = SCHEMA, target: Schema = SCHEMA) -> Invalid:
    with pytest.raises(Invalid) as caught:
        resolve(spec, [SourceFacts(source)], target)
    return caught.value


def pointers(problem: Invalid) -> list[str | None]:
    return [finding.pointer for finding in problem.findings]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"epochs": 3}, ("epochs",)),
        ({"training": {"epoch": 3}}, ("training", "epoch")),
        ({"training": {"epochs": 0}}, ("training", "epochs")),
        ({"target": {"dataset": "ds_2", "labels": 0}}, ("target", "labels")),
        ({"target": {"dataset": "ds_2", "labels_per_class": 0}}, ("target", "labels_per_class")),
        ({"strategies": []}, ("strategies",)),
        ({"strategies": ["fine_tuning"]}, ("strategies", 0)),
        ({"strategies": [{"name": "lp_ft", "params": {"rate": 1}}]}, ("strategies", 0)),
        ({"model": {"backbone": "resnet"}}, ("model",)),
        ({"model": {"backbone": "mlp", "params": {"filters": [3]}}}, ("model", "mlp", "params")),
        ({"evaluation": {"primary_metric": 1}}, ("evaluation", "primary_metric")),
        ({"evaluation": {"confidence": 95}}, ("evaluation", "confidence")),
        ({"evaluation": {"learning_curve": [5, 0]}}, ("evaluation", "learning_curve", 1)),
        ({"evaluation": {"pretrain_seeds": 0}}, ("evaluation", "pretrain_seeds")),
        ({"budget_seconds": 0}, ("budget_seconds",)),
        ({"budget_seconds": float("inf")}, ("budget_seconds",)),
        ({"deploy": {"name": "no spaces"}}, ("deploy", "name")),
        ({"sources": []}, ("sources",)),
    ],
)
def test_what_cannot_be_read_is_refused_and_named(
    fields: dict[str, Any], where: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as caught:
        spec(**fields)
    error = caught.value.errors()[0]
    assert error["loc"][: len(where)] == where


@pytest.mark.parametrize("absent", ["sources", "target"])
def test_sources_and_target_are_required(absent: str) -> None:
    with pytest.raises(ValidationError) as caught:
        JobSpec.model_validate({key: value for key, value in MINIMAL.items() if key != absent})
    assert [error["loc"] for error in caught.value.errors()] == [(absent,)]


def test_the_example_runs() -> None:
    resolved, choices = resolve(JobSpec.model_validate(EXAMPLE), SOURCES, SCHEMA)
    assert list(resolved.arms) == ["auto"]
    assert [choice.field for choice in choices] == ["strategies"]


@pytest.mark.parametrize(
    ("source", "target", "size"),
    [
        ((8, 8), (28, 28), (28, 28)),  # the larger: nothing of either is lost
        ((28, 28), (8, 8), (28, 28)),
        ((8, 30), (20, 10), (20, 30)),
        ((300, 50), (28, 28), (96, 50)),  # but nothing is scaled up to that
        ((28, 28), (300, 20), (300, 28)),
    ],
)
@pytest.mark.parametrize("backbone", ["auto", "convnet"])
def test_sizes_that_differ_are_brought_to_one_aloud(
    backbone: str, source: tuple[int, int], target: tuple[int, int], size: tuple[int, int]
) -> None:
    facts = SourceFacts(schema(shape=(*source, 1)))
    job = spec(model={"backbone": backbone})
    resolved, choices = resolve(job, [facts], schema(shape=(*target, 1)))
    assert resolved.model.image_size == size
    (said,) = [each for each in choices if each.field == "model.image_size"]
    assert (said.chosen, "differ in size" in said.reason) == (list(size), True)


def test_sizes_that_differ_and_an_image_size() -> None:
    target = schema(shape=(28, 28, 1))
    resized = spec(model={"backbone": "mlp", "image_size": [28, 28]})
    assert resolve(resized, SOURCES, target)[0].model.image_size == (28, 28)


def test_channels_that_differ_are_refused_whatever_the_size() -> None:
    resized = spec(model={"backbone": "mlp", "image_size": [28, 28]})
    problem = refusal(resized, target=schema(shape=(28, 28, 3)))
    assert problem.code == "shape_mismatch"
    assert "expected images with 1 channels as in the source, got 3 channels" in problem.detail


def test_a_convnet_deeper_than_its_images_allow() -> None:
    deep = spec(model={"backbone": "convnet", "params": {"filters": [8, 8, 8, 8]}})
    problem = refusal(deep)
    assert (problem.code, pointers(problem)) == ("too_many_layers", ["#/model/params/filters"])
    assert "expected at most 3 filters for images of side 8, got 4" in problem.detail
    resolve(
        spec(model={"backbone": "convnet", "params": {"filters": [8, 8, 8]}}),
        SOURCES,
        SCHEMA,
    )


def test_more_labels_than_the_rarest_class_has() -> None:
    target = schema(class_counts={"train": (30, 10), "test": (10, 10)})
    wanted = spec(target={"dataset": "ds_2", "labels_per_class": 11})
    problem = refusal(wanted, target=target)
    assert (problem.code, pointers(problem)) == ("too_few_labels", ["#/target/labels_per_class"])
    assert "expected at most 10" in problem.detail
    assert "`b`" in problem.detail
    assert "got 11" in problem.detail
    resolve(spec(target={"dataset": "ds_2", "labels_per_class": 10}), SOURCES, target)


def test_each_label_budget_that_is_too_large_is_named() -> None:
    wanted = spec(evaluation={"learning_curve": [5, 21, None, 22, 20]})
    problem = refusal(wanted)
    assert problem.code == "too_few_labels"
    assert pointers(problem) == [
        "#/evaluation/learning_curve/1",
        "#/evaluation/learning_curve/3",
    ]
    assert "expected at most 20" in problem.detail
    assert "got 21" in problem.detail


def test_budgets_are_the_jobs_own_and_the_curves_each_once() -> None:
    def budgets(own: int | None, curve: list[int | None] | None) -> tuple[int | None, ...]:
        wanted = spec(
            target={"dataset": "ds_2", "labels_per_class": own},
            evaluation={"learning_curve": curve},
        )
        return resolve(wanted, SOURCES, SCHEMA)[0].budgets

    assert budgets(5, [None, 20, 1, 5, 20]) == (1, 5, 20, None)
    assert budgets(None, [3]) == (3, None)
    assert budgets(7, None) == budgets(7, []) == (7,)


def test_more_pretrainings_than_seeds() -> None:
    problem = refusal(spec(evaluation={"seeds": 3, "pretrain_seeds": 4}))
    assert problem.code == "too_many_pretrain_seeds"
    assert pointers(problem) == ["#/evaluation/pretrain_seeds"]
    assert "expected at most 3 pretrainings" in problem.detail
    assert "got 4" in problem.detail
    resolve(spec(evaluation={"seeds": 3, "pretrain_seeds": 3}), SOURCES, SCHEMA)


def test_more_trials_than_a_job_can_have() -> None:
    wanted = spec(
        strategies=["fine_tune"] * 9,
        evaluation={"seeds": 100, "learning_curve": [*range(1, 11)]},
    )
    problem = refusal(wanted)
    assert (problem.code, pointers(problem)) == ("too_many_trials", ["#/evaluation"])
    assert "got 11000: 10 arms x 100 seeds x 11 label budgets" in problem.detail


@pytest.mark.parametrize("side", ["source", "target"])
def test_one_class(side: str) -> None:
    single = schema(classes=("a",), class_counts={"train": (40,), "test": (20,)})
    problem = refusal(spec(), **{side: single})
    where = {"source": "#/sources/0/dataset", "target": "#/target/dataset"}[side]
    assert (problem.code, pointers(problem)) == ("one_class", [where])
    assert "expected at least 2 classes, got 1" in problem.detail


@pytest.mark.parametrize("splits", [{"train": 40, "test": 0}, {"train": 40}])
def test_an_empty_split(splits: dict[str, int]) -> None:
    problem = refusal(spec(), target=schema(splits=splits))
    assert (problem.code, pointers(problem)) == ("empty_split", ["#/target/dataset"])
    assert "`test`" in problem.detail


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wanted = spec(target={"dataset": "ds_2", "labels_per_class": 21})
    problem = refusal(wanted, target=schema(shape=(28, 28, 3)))
    assert pointers(problem) == [
        "#/target/dataset",
        "#/target/labels_per_class",
    ]


def test_label_spaces_may_differ() -> None:
    classes = tuple("abcdefghij")
    counts = {"train": (4,) * 10, "test": (2,) * 10}
    resolve(spec(), [SourceFacts(schema(classes=classes, class_counts=counts))], SCHEMA)


@pytest.mark.parametrize(("items", "backbone"), [(499, "mlp"), (500, "convnet")])
def test_auto_chooses_and_says_why(items: int, backbone: str) -> None:
    source = schema(splits={"train": items, "test": 20})
    resolved, choices = resolve(spec(), [SourceFacts(source)], SCHEMA)
    assert resolved.model.backbone == backbone
    assert list(resolved.arms) == ["auto"]
    assert [(choice.field, choice.chosen) for choice in choices] == [
        ("model.backbone", backbone),
        ("strategies", ["lp_ft", "fine_tune", "distill", "linear_probe", "l2_sp", "recalibrate"]),
    ]
    assert str(items) in choices[0].reason


def test_arms_are_named_after_their_strategies() -> None:
    strategies = ["fine_tune", {"name": "fine_tune", "params": {"backbone_rate": 1}}, "lp_ft"]
    resolved, _ = resolve(spec(strategies=[*strategies, "fine_tune"]), SOURCES, SCHEMA)
    assert list(resolved.arms) == ["fine_tune", "fine_tune_2", "lp_ft", "fine_tune_3"]
    assert resolved.arms["fine_tune_2"].strategy.params.model_dump() == {"backbone_rate": 1}


def test_a_resolved_spec_survives_json() -> None:
    resolved, _ = resolve(JobSpec.model_validate(EXAMPLE), SOURCES, SCHEMA)
    assert ResolvedSpec.model_validate_json(resolved.model_dump_json()) == resolved
    assert ResolvedSpec.model_validate(resolved.model_dump(mode="json")) == resolved


def test_datasets_are_named_by_id_once_they_are_known() -> None:
    resolved, _ = resolve(JobSpec.model_validate(EXAMPLE), SOURCES, SCHEMA)
    named = resolved.with_datasets(["ds_1"], "ds_2")
    assert ([source.dataset for source in named.sources], named.target.dataset) == (
        ["ds_1"],
        "ds_2",
    )
    assert named.target.labels_per_class == 3
    assert named.arms == resolved.arms


@pytest.mark.parametrize("evaluation", [{"baseline": False}, {"seeds": 1}])
def test_a_deployment_that_could_never_happen(evaluation: dict[str, Any]) -> None:
    proven = {"name": "letters", "when": "beats_baseline"}
    problem = refusal(spec(evaluation=evaluation, deploy=proven))
    assert (problem.code, pointers(problem)) == ("deploy_needs_evidence", ["#/deploy/when"])
    resolve(
        spec(evaluation=evaluation, deploy={**proven, "when": "always"}),
        SOURCES,
        SCHEMA,
    )


def test_a_strategy_for_equal_classes() -> None:
    other = schema(classes=("b", "c"))
    problem = refusal(spec(strategies=["fine_tune", "distill"]), target=other)
    assert (problem.code, pointers(problem)) == ("label_space_mismatch", ["#/strategies/1"])
    assert "distill: expected the same classes" in problem.detail
    assert "multi_task" in problem.detail
    resolve(spec(strategies=["distill"]), SOURCES, SCHEMA)


def test_an_image_too_small_for_mobilenet() -> None:
    problem = refusal(spec(model={"backbone": "mobilenet"}))
    assert (problem.code, pointers(problem)) == ("image_too_small", ["#/model/image_size"])
    resolve(spec(model={"backbone": "mobilenet", "image_size": [32, 32]}), SOURCES, SCHEMA)


def of_sounds() -> Schema:
    """Stands in for a modality that is none of pictures."""
    return SCHEMA.model_copy(
        update={"inputs": SCHEMA.inputs.model_copy(update={"modality": "sound"})}
    )


@pytest.mark.parametrize("backbone", ["convnet", "mobilenet"])
def test_a_backbone_of_another_modality(backbone: str) -> None:
    sounds = of_sounds()
    problem = refusal(spec(model={"backbone": backbone}), sounds, sounds)
    assert (problem.code, pointers(problem)) == ("backbone_does_not_fit", ["#/model/backbone"])
    detail = f"expected a backbone for sounds (mlp), got {backbone}, which is for images"
    assert problem.detail == detail


def test_what_is_no_picture_gets_a_network_of_dense_layers() -> None:
    sounds = of_sounds()
    resolved, *_ = resolve(spec(), [SourceFacts(sounds)], sounds)
    assert resolved.model.backbone == "mlp"
