"""Jobs that no strategy, source or ranking can serve are refused by name, with what could."""

from typing import Any

import pytest

from app.datasets.schemas import Schema
from app.spec.applicability import applicable
from app.spec.backbones import Convnet, Mlp
from app.spec.network_params import MlpParams
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from tests.jobs.factories import SCHEMA
from tests.schemas import changed
from tests.spec.refusals import (
    DIGITS,
    FROM_LABELS,
    HIDDEN,
    MODEL,
    OF_PAIRS,
    TEST_LABELS_ONLY,
    UNLABELLED,
    WITH_LABELS,
    WITHOUT_LABELS,
    found,
    of,
    of_models,
    refusal,
    spec,
    trained,
)


@pytest.mark.parametrize("name", WITHOUT_LABELS)
def test_labels_that_a_strategy_would_not_use(name: str) -> None:
    problem = refusal(spec(strategies=[name]))
    assert found(problem) == ("labels_unused", ["#/strategies/0"])
    assert f"{name}: expected target.use_labels false" in problem.detail
    assert ", ".join(WITH_LABELS) in problem.detail


@pytest.mark.parametrize("name", OF_PAIRS)
def test_pairs_that_a_strategy_needs(name: str) -> None:
    problem = refusal(spec(strategies=[name]))
    assert found(problem) == ("needs_pairs", ["#/strategies/0"])
    assert f"{name}: expected a source dataset whose items show the target's kind" in problem.detail
    assert ", ".join(WITH_LABELS) in problem.detail


@pytest.mark.parametrize("name", FROM_LABELS)
def test_labels_that_a_strategy_needs(name: str) -> None:
    problem = refusal(spec(strategies=[name], target=HIDDEN))
    assert found(problem) == ("needs_target_labels", ["#/strategies/0"])
    assert f"{name}: expected target.use_labels true" in problem.detail
    assert ", ".join(WITHOUT_LABELS) in problem.detail


def test_multi_task_with_a_network_alone_has_one_task() -> None:
    problem = refusal(of_models(strategies=["fine_tune", "multi_task"]), MODEL)
    assert found(problem) == ("needs_source_data", ["#/strategies/1"])
    assert "multi_task: expected the source's data, got a model without it" in problem.detail


def test_only_source_free_adaptation_needs_no_source_data() -> None:
    assert applicable(of_models(target=HIDDEN), [MODEL], SCHEMA) == ["adabn", "shot"]
    problem = refusal(of_models(strategies=["dann"], target=HIDDEN), MODEL)
    assert found(problem) == ("needs_source_data", ["#/strategies/0"])
    assert "there are adabn, shot" in problem.detail


def test_adabn_needs_batch_norm() -> None:
    bare = {"backbone": "mlp", "bottleneck": None}
    problem = refusal(spec(strategies=["adabn"], target=HIDDEN, model=bare))
    assert found(problem) == ("needs_batch_norm", ["#/strategies/0"])
    trained_bare = trained(Mlp(backbone="mlp", bottleneck=None))
    problem = refusal(of_models(strategies=["adabn"], target=HIDDEN), trained_bare)
    assert found(problem) == ("needs_batch_norm", ["#/strategies/0"])
    left_open = {"bottleneck": None}  # which becomes an mlp, for so few items
    problem = refusal(spec(strategies=["adabn"], target=HIDDEN, model=left_open))
    assert found(problem) == ("needs_batch_norm", ["#/strategies/0"])
    convolutions = {**bare, "backbone": "convnet"}
    for model in ({"backbone": "mlp"}, {**bare, "bottleneck": 8}, convolutions):
        resolve(spec(strategies=["adabn"], target=HIDDEN, model=model), [DIGITS], SCHEMA)


@pytest.mark.parametrize("classes", [("a", "b"), ()])
def test_a_source_without_labels(classes: tuple[str, ...]) -> None:
    counts = {"train": (0,) * len(classes), "test": (0,) * len(classes)}
    source = changed(SCHEMA, classes=classes, class_counts=counts)
    problem = refusal(spec(), SourceFacts(source))
    assert found(problem) == ("no_labels", ["#/sources/0/dataset"])
    assert "expected labels in the source's training split, got none" in problem.detail


@pytest.mark.parametrize("target", [UNLABELLED, TEST_LABELS_ONLY])
def test_labels_of_a_target_that_has_none(target: Schema) -> None:
    problem = refusal(spec(target={"dataset": "ds_9", "labels_per_class": 5}), target=target)
    splits = 2 if target is UNLABELLED else 1
    assert found(problem) == ("no_labels", ["#/target/dataset"] * splits)
    assert "expected labels in the target's train split, got none" in problem.detail
    assert "target.use_labels false" in problem.detail


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"target": {**HIDDEN, "labels_per_class": 5}}, "#/target/labels_per_class"),
        (
            {"target": HIDDEN, "evaluation": {"learning_curve": [5, None]}},
            "#/evaluation/learning_curve",
        ),
    ],
)
def test_a_label_budget_where_no_labels_are_used(fields: dict[str, Any], pointer: str) -> None:
    problem = refusal(spec(**fields))
    assert found(problem) == ("labels_not_used", [pointer])
    assert "expected no label budget" in problem.detail


@pytest.mark.parametrize(
    "model",
    [
        {"backbone": "mlp", "params": {"hidden": [255]}, "bottleneck": 256},
        {"backbone": "mlp"},
        {"backbone": "mlp", "bottleneck": 256, "image_size": [16, 16]},
        {"backbone": "convnet", "bottleneck": 256},
        {"image_size": [16, 16]},
        {"bottleneck": 8},
    ],
)
def test_weights_that_do_not_fit_the_backbone(model: dict[str, Any]) -> None:
    problem = refusal(of_models(model=model), MODEL)
    assert found(problem) == ("weights_do_not_fit", ["#/sources/0/model"])
    assert 'got one of {"image_size":null,"bottleneck":256,"backbone":"mlp"' in problem.detail


def test_weights_that_fit() -> None:
    network = Mlp(backbone="mlp", params=MlpParams(hidden=(7,)), bottleneck=9)
    for model in ({}, network.model_dump()):
        resolved, _ = resolve(of_models(model=model), [trained(network)], SCHEMA)
        assert resolved.model == network


def test_models_of_unlike_networks() -> None:
    problem = refusal(of_models(2), MODEL, trained(Convnet(backbone="convnet")))
    assert found(problem) == ("weights_do_not_fit", ["#/sources/1/model"])


def test_the_same_source_twice() -> None:
    twice = [{"dataset": "ds_0"}, {"dataset": "ds_1"}, {"dataset": "ds_0"}]
    problem = refusal(of(twice), DIGITS, DIGITS, DIGITS)
    assert found(problem) == ("repeated_source", ["#/sources/2"])
    assert "got that of #/sources/0" in problem.detail


@pytest.mark.parametrize("combine", ["joint", "both"])
def test_sources_that_cannot_be_joined(combine: str) -> None:
    large = SourceFacts(changed(SCHEMA, shape=(9, 9, 1)))
    resized = {"backbone": "mlp", "image_size": [8, 8]}
    problem = refusal(spec(2, combine=combine, model=resized), DIGITS, large)
    assert found(problem) == ("cannot_join", ["#/combine"])
    assert "their images differ in size or in type" in problem.detail
    sources = [{"dataset": "ds_0"}, {"model": "mdl_1"}]
    problem = refusal(of(sources, combine=combine), DIGITS, MODEL)
    assert found(problem) == ("cannot_join", ["#/combine"])
    assert "a model comes without its data" in problem.detail


@pytest.mark.parametrize(
    ("sources", "fields", "code", "pointer"),
    [
        (1, {"kind": "rank"}, "one_candidate", "#/sources"),
        (2, {"kind": "rank", "combine": "joint"}, "one_candidate", "#/combine"),
        (2, {"kind": "rank", "target": HIDDEN}, "rank_needs_labels", "#/target/use_labels"),
        (2, {"measure": True}, "measure_needs_rank", "#/measure"),
        (2, {"kind": "rank", "deploy": {"name": "best"}}, "nothing_to_deploy", "#/deploy"),
        (
            2,
            {"kind": "rank", "deploy": {"name": "best", "ensemble": "average"}},
            "nothing_to_deploy",
            "#/deploy",
        ),
    ],
)
def test_rankings_that_cannot_be(
    sources: int, fields: dict[str, Any], code: str, pointer: str
) -> None:
    problem = refusal(spec(sources, **fields), *[DIGITS] * sources)
    assert found(problem) == (code, [pointer])
    assert problem.detail.startswith("expected ")


def test_a_ranking_that_measures_may_deploy() -> None:
    wanted = spec(2, kind="rank", measure=True, deploy={"name": "best"})
    assert resolve(wanted, [DIGITS, DIGITS], SCHEMA)[0].trains_arms
