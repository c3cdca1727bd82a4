"""What a job becomes that leaves something open, or has several sources, or no target labels."""

from typing import Any

import pytest

from app.datasets.schemas import Schema
from app.spec.backbones import Mlp
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from app.spec.spec import Choice, JobSpec, ResolvedSpec
from app.spec.training import Space, Training
from tests.jobs.factories import SCHEMA
from tests.schemas import changed

HIDDEN = {"dataset": "ds_9", "use_labels": False}
UNLABELLED = changed(SCHEMA, classes=(), class_counts={"train": (), "test": ()})


def resolved(
    *sources: SourceFacts, schema: Schema = SCHEMA, **fields: Any
) -> tuple[ResolvedSpec, dict[str, Choice]]:
    """`schema`: the target's."""
    sources = sources or (SourceFacts(SCHEMA),)
    named = [
        {"dataset": f"ds_{number}"} if facts.has_data else {"model": f"mdl_{number}"}
        for number, facts in enumerate(sources)
    ]
    body = {"sources": named, "target": {"dataset": "ds_9"}, **fields}
    found, choices = resolve(JobSpec.model_validate(body), sources, schema)
    assert ResolvedSpec.model_validate_json(found.model_dump_json()) == found
    return found, {choice.field: choice for choice in choices}


def without_labels(
    *sources: SourceFacts, schema: Schema = UNLABELLED, **fields: Any
) -> tuple[ResolvedSpec, dict[str, Choice]]:
    return resolved(*sources, schema=schema, target=HIDDEN, **fields)


def source(**changes: Any) -> SourceFacts:
    return SourceFacts(changed(SCHEMA, **changes))


def model(network: Mlp) -> SourceFacts:
    counts: dict[str, tuple[int, ...]] = {"train": (), "test": ()}
    return SourceFacts(SCHEMA.model_copy(update={"splits": {}, "class_counts": counts}), network)


@pytest.mark.parametrize("name", ["learning_rate", "weight_decay", "epochs"])
def test_what_is_auto_is_left_to_the_search(name: str) -> None:
    found, _ = resolved(training={name: "auto", "batch_size": 7, "augmentation": None})
    assert found.space == Space(**{name: True})
    assert found.training == Training(batch_size=7)


def test_no_setting_is_searched_for_unless_asked() -> None:
    found, _ = resolved(strategies=["fine_tune"], training={"learning_rate": 0.5})
    assert not found.space.has_settings
    assert found.training.learning_rate == 0.5


def test_ways_with_unequal_classes_are_compared_where_the_labels_are_unequal() -> None:
    """A budget takes as many items of each class, so that all ways would be the same training."""
    unequal = changed(SCHEMA, class_counts={"train": (38, 2), "test": (10, 10)})
    found, _ = resolved(schema=unequal, imbalance="auto")
    assert found.space.imbalance == ("none", "logit_adjustment", "class_weights")
    assert found.evaluation.primary_metric == "balanced_accuracy"
    few = {"dataset": "ds_9", "labels_per_class": 2}
    found, choices = resolved(schema=unequal, target=few, imbalance="auto")
    assert (found.imbalance, found.space.imbalance) == ("none", ())
    assert found.evaluation.primary_metric == "accuracy"
    assert "as many items of each" in choices["imbalance"].reason


def test_auto_keeps_a_portfolio_to_choose_from() -> None:
    found, choices = resolved()
    (strategy,) = found.strategies
    assert strategy.name == "auto"
    names = [each.name for each in strategy.portfolio]
    assert choices["strategies"].chosen == names
    for name in names:
        assert f"{name}: " in choices["strategies"].reason


def test_auto_with_a_single_strategy_is_that_strategy() -> None:
    found, choices = without_labels(model(Mlp(backbone="mlp", bottleneck=4)))
    assert list(found.arms) == ["shot"]
    assert choices["strategies"].chosen == "shot"
    assert "not mcc: the source's data is not there" in choices["strategies"].reason


def test_without_labels_there_is_a_bottleneck_and_smoothing() -> None:
    found, choices = without_labels(model={"backbone": "mlp"})
    assert (found.model.bottleneck, found.training.label_smoothing) == (256, 0.1)
    assert {"model.bottleneck", "training.label_smoothing"} < set(choices)
    given, choices = without_labels(
        model={"backbone": "mlp", "bottleneck": None}, training={"label_smoothing": 0}
    )
    assert (given.model.bottleneck, given.training.label_smoothing) == (None, 0)
    assert set(choices) == {"strategies"}
    labelled, _ = resolved(model={"backbone": "mlp"})
    assert (labelled.model.bottleneck, labelled.training.label_smoothing) == (None, 0)


@pytest.mark.parametrize("choice", [{}, {"backbone": "mlp"}])
def test_a_source_model_keeps_its_network(choice: dict[str, Any]) -> None:
    """A bottleneck that it was not trained with would make its weights unfit."""
    found, _ = without_labels(model(Mlp(backbone="mlp")), strategies=["shot"], model=choice)
    assert found.model.bottleneck is None


def test_the_classes_are_the_targets_or_the_sources() -> None:
    assert resolved(source(classes=("b", "c")))[0].classes == ("a", "b")
    assert without_labels(source(classes=("b", "c")))[0].classes == ("b", "c")
    assert without_labels(source(), source())[0].classes == ("a", "b")
    known = changed(SCHEMA, classes=("b", "a"))
    tested = known.model_copy(update={"class_counts": {"train": (0, 0), "test": (10, 10)}})
    assert without_labels(schema=tested)[0].classes == ("a", "b")


@pytest.mark.parametrize(
    ("combine", "sets"),
    [
        ("each", {"@1": (0,), "@2": (1,)}),
        ("joint", {"@all": (0, 1)}),
        ("both", {"@1": (0,), "@2": (1,), "@all": (0, 1)}),
    ],
)
def test_arms_of_several_sources(combine: str, sets: dict[str, tuple[int, ...]]) -> None:
    found, choices = resolved(source(), source(), combine=combine, strategies=["lp_ft"])
    assert found.source_sets == sets
    assert {name: arm.sources for name, arm in found.arms.items()} == {
        f"lp_ft{end}": places for end, places in sets.items()
    }
    assert "combine" not in choices


def test_sources_are_joined_where_they_can_be() -> None:
    found, choices = resolved(source(), source())
    assert found.combine == "both"
    assert choices["combine"].reason == "each source alone, and all"
    resized = {"backbone": "mlp", "image_size": [8, 8]}
    found, choices = resolved(source(), source(shape=(9, 9, 1)), model=resized)
    assert found.combine == "each"
    assert "their images differ" in choices["combine"].reason
    found, choices = resolved(source(), source(), kind="rank")
    assert (found.combine, found.arms) == ("each", {})
    assert "a ranking compares them" in choices["combine"].reason


def test_one_source_has_nothing_to_combine() -> None:
    found, choices = resolved(strategies=["lp_ft"])
    assert (found.combine, found.source_sets, list(found.arms)) == ("each", {"": (0,)}, ["lp_ft"])
    assert "combine" not in choices


def test_what_the_arms_are_compared_with() -> None:
    labelled, _ = resolved(source(), source())
    assert (labelled.baseline_arm, labelled.baseline_sources) == ("scratch", ())
    assert labelled.compared == ("scratch",)
    joint, _ = without_labels(source(), source())
    assert (joint.baseline_arm, joint.baseline_sources) == ("source_only", (0, 1))
    assert joint.compared == ("source_only", "target_supervised")
    each, _ = without_labels(source(), source(), combine="each")
    assert each.baseline_sources == (0,)
