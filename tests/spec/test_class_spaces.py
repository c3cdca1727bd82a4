"""Sources and target of other classes: who can be trained all the same, and what is told."""

import pytest

from app.datasets.schemas import Schema
from app.spec.applicability import applicable
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from tests.jobs.factories import SCHEMA
from tests.schemas import changed
from tests.spec.refusals import (
    DIGITS,
    HIDDEN,
    LETTERS,
    TEST_LABELS_ONLY,
    UNLABELLED,
    WITH_LABELS,
    WITHOUT_LABELS,
    found,
    refusal,
    spec,
)


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
