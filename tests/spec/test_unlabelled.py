"""Jobs that let target items without labels take part: what is refused, planned and proposed."""

from typing import Any

import pytest

from app.datasets.schemas import Schema
from app.errors import Invalid
from app.spec.memory import MemoryCase, Need
from app.spec.plan import PlannedTrial, plan, trained_items, unlabelled_items
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec, ResolvedSpec
from app.spec.strategies import AdaMatch, FineTune, Mcc, Shot
from app.spec.strategy_catalogue import CATALOGUE, batches_of_step
from app.spec.strategy_memory import Widths, load_of
from app.spec.strategy_params import AdaMatchParams
from app.tasks.regression import Regression
from tests.jobs.factories import SCHEMA
from tests.schemas import changed

LABELLED = 20  # of 60 training items
PARTLY = SCHEMA.model_copy(
    update={
        "splits": {"train": 60, "test": 20},
        "class_counts": {"train": (8, 12), "test": (9, 11)},
    }
)
WHOLE = PARTLY.model_copy(update={"class_counts": {"train": (30, 30), "test": (9, 11)}})
SOURCE = SourceFacts(SCHEMA)


def spec(*strategies: str, **fields: Any) -> JobSpec:
    target = {"dataset": "ds_2", "use_unlabelled": True, **fields.pop("target", {})}
    return JobSpec.model_validate(
        {
            "sources": [{"dataset": "ds_1"}],
            "target": target,
            "strategies": list(strategies) or ["auto"],
            **fields,
        }
    )


def resolved(job: JobSpec, target: Schema = PARTLY, source: SourceFacts = SOURCE) -> ResolvedSpec:
    return resolve(job, [source], target)[0]


def refused(job: JobSpec, target: Schema = PARTLY) -> list[tuple[str, str | None, str]]:
    with pytest.raises(Invalid) as caught:
        resolve(job, [SOURCE], target)
    return [(caught.value.code, each.pointer, each.detail) for each in caught.value.findings]


@pytest.mark.parametrize(
    "name", [name for name, each in CATALOGUE.items() if each.takes_unlabelled]
)
def test_strategies_that_take_them_run_beside_labels(name: str) -> None:
    job = spec(name, model={"backbone": "convnet"})
    assert resolved(job).target.takes_unlabelled
    ((_, pointer, detail),) = refused(spec(name, target={"use_unlabelled": False}))
    assert pointer == "#/strategies/0"
    assert "target.use_unlabelled true" in detail


def test_adamatch_needs_neither_the_sources_classes_nor_its_data() -> None:
    letters = SourceFacts(changed(SCHEMA, classes=("x", "y")))
    assert resolved(spec("adamatch"), source=letters).strategies[0].name == "adamatch"
    with pytest.raises(Invalid, match="mcc: expected the same classes"):
        resolved(spec("mcc"), source=letters)


def test_there_must_be_items_without_a_label_at_each_budget() -> None:
    ((code, pointer, detail),) = refused(spec("adamatch"), WHOLE)
    assert (code, pointer) == ("no_unlabelled_items", "#/target/use_unlabelled")
    assert "each of the target's 60 has one" in detail
    assert resolved(spec("adamatch", target={"labels_per_class": 5}), WHOLE)
    curve = {"evaluation": {"learning_curve": [2, None]}}
    (found,) = refused(spec("adamatch", target={"labels_per_class": 5}, **curve), WHOLE)
    assert found[:2] == ("no_unlabelled_items", "#/evaluation/learning_curve/1")


def test_a_strategy_must_have_a_use_for_them() -> None:
    ((code, pointer, detail),) = refused(spec("fine_tune", "lp_ft"))
    assert (code, pointer) == ("unlabelled_not_used", "#/target/use_unlabelled")
    assert "got fine_tune, lp_ft: of those that can there are" in detail
    assert "adamatch" in detail
    assert any("only ranks" in detail for _, _, detail in refused(spec(kind="rank")))


def test_a_regression_has_no_strategy_for_them() -> None:
    counts = {"train": (20,), "test": (20,)}
    quantity = PARTLY.model_copy(
        update={"task": Regression(mean=0.0, std=1.0), "class_counts": counts}
    )
    with pytest.raises(Invalid, match="got auto: none that can applies"):
        resolve(spec(), [SourceFacts(quantity)], quantity)


def test_hidden_labels_win_and_that_is_said() -> None:
    job = resolved(spec("mcc", target={"use_labels": False}))
    assert not job.target.takes_unlabelled
    assert any("target.use_unlabelled changes nothing" in each for each in job.warnings)


def test_auto_tries_them_where_they_are_many() -> None:
    job, choices = resolve(spec(), [SOURCE], PARTLY)
    (names,) = [each.chosen for each in choices if each.field == "strategies"]
    assert {"lp_ft", "adamatch", "mcc"} <= {*names}
    few = PARTLY.model_copy(update={"splits": {"train": 21, "test": 20}})
    _, choices = resolve(spec(), [SOURCE], few)
    (choice,) = [each for each in choices if each.field == "strategies"]
    assert "not adamatch: 1 items without labels beside" in choice.reason
    idle = spec(target={"use_unlabelled": False})
    (choice,) = [each for each in resolve(idle, [SOURCE], PARTLY)[1] if each.field == "strategies"]
    assert "not adamatch: target.use_unlabelled is false" in choice.reason
    assert "40 other training items stay out" in choice.reason
    (choice,) = [each for each in resolve(idle, [SOURCE], WHOLE)[1] if each.field == "strategies"]
    assert "adamatch" not in choice.reason
    assert job.arms


def test_items_of_trials_by_hand() -> None:
    """8 and 12 labelled ones: 1 of each class is held out. Of 60 without labels 6 are."""
    job = resolved(spec("adamatch"))
    trial = PlannedTrial("transfer", "adamatch", 0, None, None)
    assert trained_items(trial, job, [SCHEMA], PARTLY) == 18
    assert (unlabelled_items(PARTLY, None), unlabelled_items(PARTLY, 5)) == (40, 50)
    hidden = resolved(spec("mcc", target={"use_labels": False}))
    of_mcc = PlannedTrial("transfer", "mcc", 0, None, None)
    assert trained_items(of_mcc, hidden, [SCHEMA], PARTLY) == 54
    bound = PlannedTrial("bound", "target_supervised", 0, None, None)
    assert trained_items(bound, hidden, [SCHEMA], PARTLY) == 18


def test_all_arms_are_planned_with_the_same_steps() -> None:
    job = resolved(spec("adamatch", "mcc", "fine_tune"))
    own = {"baseline", "transfer"}
    trials = [trial for trial in plan(job, PARTLY) if trial.role in own]
    assert len({trial.steps(job, [SCHEMA], PARTLY) for trial in trials}) == 1


def test_batches_of_a_step_by_hand() -> None:
    """Its own, the source's, and those without labels; without these as it was."""
    adamatch = AdaMatch(name="adamatch", params=AdaMatchParams(ratio=2))
    steps = [adamatch, Mcc(name="mcc"), Shot(name="shot"), FineTune(name="fine_tune")]
    assert [batches_of_step(each, beside_labels=True) for each in steps] == [4, 3, 2, 1]
    assert [batches_of_step(each, beside_labels=False) for each in steps] == [2, 2, 1, 1]


def test_memory_counts_what_a_step_holds_beside() -> None:
    """Of adamatch weak and strong images, labelled ones of both domains twice; of a batch of the
    job's size, however few labels there are."""
    widths = Widths(features=10, classes=2, source_classes=2)
    beside = load_of(AdaMatch(name="adamatch"), widths, beside_labels=True)
    assert (beside.passes, beside.unlabelled, beside.source_data) == (2 * 4 + 2 * 3, True, True)
    assert load_of(Mcc(name="mcc"), widths, beside_labels=True).passes == 3
    assert load_of(FineTune(name="fine_tune"), widths, beside_labels=True) == load_of(
        FineTune(name="fine_tune"), widths
    )

    def need(*strategies: str, **target: Any) -> Need:
        job = resolved(spec(*strategies, target=target))
        return MemoryCase(job, [SCHEMA], PARTLY).need(
            [trial for trial in plan(job, PARTLY) if trial.arm == "adamatch"]
        )

    some, hidden = need("adamatch"), need("adamatch", use_labels=False)
    assert some.activations > hidden.activations
    assert some.data > hidden.data
