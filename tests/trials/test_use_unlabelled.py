"""Target items without labels beside labelled ones: who learns from them, and who sees no label."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.jobs import repository
from app.spec.strategy_catalogue import CATALOGUE
from app.tasks.classification import Classification
from tests.trials.conftest import AddDataset
from tests.trials.jobs import page_of, report_of, run, submit
from tests.trials.stored import add_stored
from worker.machine.context import WorkerContext
from worker.training.setup import TrialSetup
from worker.trials.setup import setup_of
from worker.trials.trial_data import TrialData

CLASSES, LABELLED, UNLABELLED, TEST = ("a", "b", "c"), 18, 24, 12
BESIDE = [name for name, entry in CATALOGUE.items() if entry.takes_unlabelled]
Add = Callable[..., str]


@pytest.fixture
def add_partly(context: WorkerContext, tmp_path: Path) -> Add:
    """`add_partly(pictures=1)`: a target of which 24 of 42 training items have no label;
    `pictures` is the seed of these items'."""

    def add(pictures: int = 1) -> str:
        rng = np.random.default_rng(7)
        x, y = _items(rng, LABELLED)
        x_test, y_test = _items(rng, TEST)
        others, _ = _items(np.random.default_rng(pictures), UNLABELLED)
        none = np.full(UNLABELLED, -1, np.int32)
        order = np.random.default_rng(0).permutation(LABELLED + UNLABELLED)
        x, y = np.concatenate([x, others])[order], np.concatenate([y, none])[order]
        schema = Schema(
            inputs=ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255)),
            task=Classification(classes=CLASSES),
            splits={"train": len(y), "test": TEST},
            class_counts={
                "train": tuple(int((y == k).sum()) for k in range(3)),
                "test": tuple(int((y_test == k).sum()) for k in range(3)),
            },
        )
        arrays = {"x_train": x, "y_train": y, "x_test": x_test, "y_test": y_test}
        return add_stored(context, tmp_path, f"partly {pictures}", arrays, schema)

    return add


def _items(rng: np.random.Generator, items: int) -> tuple[np.ndarray, np.ndarray]:
    y = (np.arange(items) % 3).astype(np.int32)
    x = rng.integers(0, 120, (items, 8, 8, 1), dtype=np.uint8)
    x[np.arange(items), y] += 90
    return x, y


def job(context: WorkerContext, source: str, target: str, **changes: Any) -> str:
    changes = {"evaluation": {"seeds": 1}, "target_use_unlabelled": True, **changes}
    return submit(context, [{"dataset": source}], target, **changes)


def setups(context: WorkerContext, job_id: str) -> dict[str, TrialSetup]:
    """Of the job's trials, by arm; those that wait for a pretraining have no weights to start
    from yet."""
    with context.database.read() as session:
        trials = repository.trials(session, job_id)
        return {
            trial.arm: setup_of(context.storage, TrialData.of(session, trial)) for trial in trials
        }


def pixels(split: Any) -> set[bytes]:
    return {bytes(picture) for picture in split.items.read()["image"]}


def test_labels_beyond_the_budget_never_reach_a_trial(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    """30 items of 3 classes, 4 labels of each: 18 others, of which no label is there."""
    changes = {"strategies": ["adamatch"], "target_labels_per_class": 4}
    found = setups(context, job(context, add_dataset(1), add_dataset(2), **changes))
    for arm in ("scratch", "adamatch"):
        domain, others = found[arm].target, found[arm].unlabelled
        assert len(domain.train) + len(domain.validation) == 12
        assert domain.train.is_labelled
        assert others is not None
        assert len(others) == 18
        assert not others.known.any()
        assert not others.y.any()
        seen = pixels(domain.train) | pixels(domain.validation)
        assert not seen & pixels(others)
    assert found["pretrain"].unlabelled is None


def test_without_use_unlabelled_a_trial_gets_the_labelled_items_alone(
    context: WorkerContext, add_dataset: AddDataset, add_partly: Add
) -> None:
    job_id = job(context, add_dataset(1), add_partly(), target_use_unlabelled=False)
    setup = setups(context, job_id)["scratch"]
    assert setup.unlabelled is None
    assert setup.target.train.is_labelled
    assert len(setup.target.train) + len(setup.target.validation) == LABELLED


def test_a_hidden_target_has_all_its_items(
    context: WorkerContext, add_dataset: AddDataset, add_partly: Add
) -> None:
    """`use_labels` false wins; what labels would have brought is learnt from those there are."""
    changes = {"strategies": ["mcc"], "target_use_labels": False}
    found = setups(context, job(context, add_dataset(1), add_partly(), **changes))
    bound, hidden = found["target_supervised"], found["mcc"]
    assert len(bound.target.train) + len(bound.target.validation) == LABELLED
    assert bound.unlabelled is None
    items = len(hidden.target.train) + len(hidden.target.validation)
    assert (items, hidden.unlabelled) == (LABELLED + UNLABELLED, None)
    assert not hidden.target.train.known.any()


def test_a_source_that_is_labelled_in_part_teaches_what_is_labelled(
    context: WorkerContext, add_dataset: AddDataset, add_partly: Add
) -> None:
    job_id = job(context, add_partly(), add_dataset(2), target_use_unlabelled=False)
    domain = setups(context, job_id)["pretrain"].target
    assert domain.train.is_labelled
    assert len(domain.train) + len(domain.validation) == LABELLED


@pytest.mark.slow
def test_they_take_part_in_adamatch_and_change_no_bit_of_supervised_arms(
    context: WorkerContext, add_dataset: AddDataset, add_partly: Add
) -> None:
    """Other pictures without labels: other weights of adamatch alone."""
    source, weights = add_dataset(1), []
    for pictures in (1, 2):
        changes = {"strategies": ["lp_ft", "adamatch"]}
        ended, trials = run(context, job(context, source, add_partly(pictures), **changes))
        assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
        weights.append({trial.arm: trial.weights for trial in trials})
    changed = {arm for arm in weights[0] if weights[0][arm] != weights[1][arm]}
    assert changed == {"adamatch"}
    report = report_of(ended)
    assert (report.labels, report.unlabelled) == (LABELLED, UNLABELLED)
    assert {name: arm.unlabelled for name, arm in report.arms.items()} == {
        "scratch": 0,
        "lp_ft": 0,
        "adamatch": UNLABELLED,
    }
    assert "adamatch learnt from them as well" in page_of(context, ended)


@pytest.mark.slow
def test_all_that_take_them_get_the_same_steps(
    context: WorkerContext, add_dataset: AddDataset, add_partly: Add
) -> None:
    """As scratch, whatever else a step of theirs is made of."""
    changes = {"strategies": BESIDE, "model": BOTTLENECK}
    ended, trials = run(context, job(context, add_dataset(1), add_partly(), **changes))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    report = report_of(ended)
    assert {name for name, arm in report.arms.items() if arm.unlabelled} == set(BESIDE)
    steps = {name: arm.cost.steps for name, arm in report.arms.items() if name not in UNTRAINED}
    assert len(set(steps.values())) == 1, steps


UNTRAINED = ("adabn", "linear_coral")  # no step is trained
BOTTLENECK = {"backbone": "mlp", "params": {"hidden": [6]}, "bottleneck": 4}


@pytest.mark.slow
def test_adamatch_from_a_model_without_its_data(
    context: WorkerContext, add_dataset: AddDataset, add_partly: Add
) -> None:
    """The target's labelled items stand in the source's place."""
    other = add_dataset(1, order=(2, 1, 0))
    changes: dict[str, Any] = {"strategies": ["adamatch"]}
    first, _ = run(context, job(context, other, add_partly(), **changes))
    model = [{"model": str(first.model_id)}]
    changes |= {"target_use_unlabelled": True, "model": {"backbone": "auto"}}
    job_id = submit(context, model, add_partly(), evaluation={"seeds": 1}, **changes)
    _, trials = run(context, job_id)
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    setup = setups(context, job_id)["adamatch"]
    assert setup.source is None
    assert setup.shares_classes


@pytest.mark.slow
def test_auto_proposes_them(
    context: WorkerContext, add_dataset: AddDataset, add_partly: Add
) -> None:
    changes = {"strategies": ["auto"], "evaluation": {"seeds": 3}}
    ended, trials = run(context, job(context, add_dataset(1), add_partly(), **changes))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    (choice,) = [each for each in ended.selection if each["field"] == "strategies"]
    assert "adamatch" in choice["chosen"]
    assert "24 items without labels beside 6 labels per class" in choice["reason"]
    (search,) = [each.outcome for each in trials if (each.role, each.arm) == ("search", "auto")]
    assert search is not None
    assert "adamatch" in str(search["tried"])
