"""Jobs that no strategy, source or ranking can serve are refused by name, with what could."""

from typing import Any

import pytest

from app.datasets.schemas import Schema
from app.errors import Invalid
from app.spec.applicability import applicable
from app.spec.backbones import Backbone, Convnet, Mlp
from app.spec.network_params import MlpParams
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec
from app.spec.strategy_catalogue import CATALOGUE
from tests.jobs.factories import SCHEMA
from tests.schemas import changed

DIGITS = SourceFacts(SCHEMA)
LETTERS = changed(SCHEMA, classes=("x", "y"))
UNLABELLED = changed(SCHEMA, classes=(), class_counts={"train": (), "test": ()})
TEST_LABELS_ONLY = SCHEMA.model_copy(update={"class_counts": {"train": (0, 0), "test": (10, 10)}})
HIDDEN = {"dataset": "ds_9", "use_labels": False}
OF_PAIRS = [name for name, entry in CATALOGUE.items() if "pairs" in entry.needs]
FROM_LABELS = [name for name, entry in CATALOGUE.items() if "target_labels" in entry.needs]
WITH_LABELS = [name for name in FROM_LABELS if name not in OF_PAIRS]
WITHOUT_LABELS = [name for name in CATALOGUE if name not in FROM_LABELS]


def trained(network: Backbone, **changes: Any) -> SourceFacts:
    """A source model: its weights fit `network`."""
    counts: dict[str, tuple[int, ...]] = {"train": (), "test": ()}
    changes = {"splits": {}, "class_counts": counts, **changes}
    return SourceFacts(changed(SCHEMA, **changes), network)


MODEL = trained(Mlp(backbone="mlp", bottleneck=256))


def spec(sources: int = 1, **fields: Any) -> JobSpec:
    return of([{"dataset": f"ds_{number}"} for number in range(sources)], **fields)


def of_models(sources: int = 1, **fields: Any) -> JobSpec:
    return of([{"model": f"mdl_{number}"} for number in range(sources)], **fields)


def of(sources: list[dict[str, str]], **fields: Any) -> JobSpec:
    return JobSpec.model_validate({"sources": sources, "target": {"dataset": "ds_9"}, **fields})


def refusal(spec: JobSpec, *sources: SourceFacts, target: Schema = SCHEMA) -> Invalid:
    with pytest.raises(Invalid) as caught:
        resolve(spec, sources or (DIGITS,), target)
    return caught.value


def found(problem: Invalid) -> tuple[str, list[str | None]]:
    return problem.code, [finding.pointer for finding in problem.findings]


@pytest.mark.parametrize("name", WITHOUT_LABELS)
def test_adaptation_between_digits_and_letters(name: str) -> None:
    problem = refusal(spec(target=HIDDEN, strategies=["auto", name]), target=LETTERS)
    assert problem.code == "label_space_mismatch"
    assert [finding.pointer for finding in problem.findings] == ["#/strategies/1", "#/strategies"]
    assert f"{name}: expected the same classes" in problem.detail
    assert "no other strategy applies either" in problem.detail


def test_a_refusal_lists_the_strategies_that_can_and_how_far_the_domains_are() -> None:
    near = SourceFacts(SCHEMA, distance=lambda: {"proxy_a_distance": 1.238, "mmd": 0.1})
    problem = refusal(spec(strategies=["distill"]), near, target=LETTERS)
    able = ", ".join(name for name in WITH_LABELS if name not in {"distill", "recalibrate"})
    assert "only the source has `a`, `b`; only the target has `x`, `y`" in problem.detail
    assert f"; there are {able}. Proxy A-distance" in problem.detail
    assert problem.detail.endswith("0 (alike) to 2: 1.24")


def test_a_distance_that_is_not_known_is_not_told() -> None:
    unknown = SourceFacts(SCHEMA, distance=lambda: {"proxy_a_distance": None, "mmd": None})
    for source in (DIGITS, unknown):
        assert "A-distance" not in refusal(spec(strategies=["mcc"]), source).detail


def with_classes(*names: str) -> Schema:
    count = (20 // len(names),) * len(names)
    return changed(SCHEMA, classes=names, class_counts={"train": count, "test": count})


def test_no_order_of_classes_is_an_obstacle() -> None:
    turned = with_classes("b", "a")
    assert applicable(spec(), [DIGITS], turned) == WITH_LABELS
    assert applicable(spec(target=HIDDEN), [DIGITS], turned) == WITHOUT_LABELS
    both = [DIGITS, SourceFacts(turned)]
    for target in (SCHEMA, turned, UNLABELLED, TEST_LABELS_ONLY):
        assert applicable(spec(2, target=HIDDEN), both, target) == WITHOUT_LABELS
    wanted = spec(2, strategies=["distill", "auto"], combine="joint")
    resolved, choices = resolve(wanted, both, turned)
    assert resolved.classes == ("b", "a")
    tried = next(choice for choice in choices if choice.field == "strategies")
    assert "distill" in tried.chosen


NUMBERS = [str(number) for number in range(30)]


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        (
            NUMBERS[:10],
            NUMBERS[1:11],
            ["only the source has `0`; only the target has `10`."],
        ),
        (["a", "b", "c"], ["a", "b"], ["only the source has `c`."]),
        (["a", "b"], ["a", "b", "c"], [": only the target has `c`."]),
        (["a", "b"], NUMBERS[:12], ["`0`, `1`, `2`,", "`9` and 2 more"]),
        (["cat", "dog"], ["Cat", "dog"], ["(`Cat` and `cat` differ in spelling alone)"]),
        (["0", "1"], ["0", "1.0"], ["(`1` and `1.0` differ in spelling alone)"]),
    ],
)
def test_classes_that_only_one_side_has_are_named(
    source: list[str], target: list[str], told: list[str]
) -> None:
    facts = SourceFacts(with_classes(*source))
    for wanted in (spec(strategies=["distill"]), spec(strategies=["mcc"], target=HIDDEN)):
        problem = refusal(wanted, facts, target=with_classes(*target))
        assert problem.code == "label_space_mismatch"
        assert all(part in problem.detail for part in told)


def test_the_way_out_of_other_classes() -> None:
    problem = refusal(spec(strategies=["shot"], target=HIDDEN), target=LETTERS)
    assert "with target.use_labels true classes may differ" in problem.detail
    resolve(spec(), [DIGITS], LETTERS)
    no_labels = with_classes("x", "y").model_copy(
        update={"class_counts": {"train": (0, 0), "test": (10, 10)}}
    )
    problem = refusal(spec(strategies=["shot"], target=HIDDEN), target=no_labels)
    assert "use_labels true" not in problem.detail


def test_one_source_of_several_with_other_classes() -> None:
    other = SourceFacts(LETTERS)
    problem = refusal(spec(2, strategies=["dann"], target=HIDDEN), DIGITS, other)
    assert found(problem) == ("label_space_mismatch", ["#/strategies/0"])
    assert "only source 2 has `x`, `y`; only the target has `a`, `b`" in problem.detail


def test_sources_that_give_an_unlabelled_target_unlike_classes() -> None:
    both = [DIGITS, SourceFacts(LETTERS)]
    assert applicable(spec(2, target=HIDDEN), both, UNLABELLED) == []
    problem = refusal(spec(2, target=HIDDEN), *both, target=UNLABELLED)
    assert found(problem) == ("label_space_mismatch", ["#/strategies"])
    assert "only source 2 has `x`, `y`; only source 1 has `a`, `b`" in problem.detail


@pytest.mark.parametrize("target", [UNLABELLED, TEST_LABELS_ONLY])
def test_a_target_without_training_labels_has_the_sources_classes(target: Schema) -> None:
    assert applicable(spec(target=HIDDEN), [DIGITS], target) == WITHOUT_LABELS


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
