"""Planned seconds, from the plan alone."""

from typing import Any

import pytest

from app.spec.calibration import ONCE, STEPS, seconds_per_step
from app.spec.forecast import HEAD_STEP_COST, SEARCH_OVER_TRAINING, planned_seconds
from app.spec.network_params import ConvnetParams, MlpParams, MobilenetParams
from app.spec.plan import plan
from app.spec.spec import ResolvedSpec
from tests.jobs.factories import SCHEMA

STEPS_A_TRIAL = 1000


def spec(**changes: Any) -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target"},
            "model": {"backbone": "mlp"},
            "strategies": [{"name": "fine_tune"}],
            "training": {"epochs": 10, "batch_size": 16},
            "evaluation": {"seeds": 2},
            **changes,
        }
    )


def planned(job: ResolvedSpec) -> dict[tuple[str, str], list[float]]:
    """Seconds by role and arm, in the order of the plan, of 1000 steps a trial."""
    trials = plan(job, SCHEMA)
    seconds = planned_seconds(job, trials, [STEPS_A_TRIAL] * len(trials), [SCHEMA] * 2, SCHEMA)
    found: dict[tuple[str, str], list[float]] = {}
    for trial, each in zip(trials, seconds, strict=True):
        found.setdefault((trial.role, trial.arm), []).append(each)
    return found


def test_steps_and_what_comes_once() -> None:
    """36 of 40 items train, so a batch of 16 is whole."""
    step, once = seconds_per_step(spec().model, SCHEMA.inputs.shape, 16), ONCE["mlp"]
    first, again = planned(spec())["transfer", "fine_tune"]
    assert first == pytest.approx(once.first + STEPS_A_TRIAL * step)
    assert again == pytest.approx(once.again + STEPS_A_TRIAL * step)


def test_a_batch_is_no_larger_than_the_items() -> None:
    few = spec(
        target={"dataset": "ds_target", "labels_per_class": 2},
        model={"backbone": "convnet"},
        training={"batch_size": 1024},
    )
    step = seconds_per_step(few.model, SCHEMA.inputs.shape, 4)
    again = planned(few)["transfer", "fine_tune"][1]
    assert again == pytest.approx(ONCE["convnet"].again + STEPS_A_TRIAL * step)


def test_a_step_of_a_head_costs_a_tenth_and_one_with_the_sources_items_twice() -> None:
    """100 epochs of 3 steps are the head's: 300 of the 1000."""
    job = spec(
        strategies=[
            {"name": "lp_ft", "params": {"max_epochs": 100}},
            {"name": "linear_probe", "params": {"max_epochs": 500}},
            {"name": "multi_task"},
        ]
    )
    step, once = seconds_per_step(job.model, SCHEMA.inputs.shape, 16), ONCE["mlp"].again
    found = {arm: seconds[1] - once for (_, arm), seconds in planned(job).items() if seconds[1:]}
    assert found["lp_ft"] == pytest.approx((700 + HEAD_STEP_COST * 300) * step)
    assert found["linear_probe"] == pytest.approx(HEAD_STEP_COST * 1000 * step)
    assert found["multi_task"] == pytest.approx(2000 * step)


def test_a_search_costs_no_more_than_its_allowance() -> None:
    job = spec(space={"learning_rate": True})
    step = seconds_per_step(job.model, SCHEMA.inputs.shape, 16)
    (found,) = planned(job)["search", "fine_tune"]
    assert found == pytest.approx(ONCE["mlp"].first + SEARCH_OVER_TRAINING * 1000 * step)


@pytest.mark.parametrize("row", STEPS, ids=str)
def test_the_table_is_read_as_it_was_measured(row: Any) -> None:
    model = spec(model={"backbone": row.backbone}).model
    # Large images in small batches and small ones in large batches are as much work.
    found = seconds_per_step(model, row.shape, row.batch, row.tokens)
    assert found == pytest.approx(row.seconds, rel=0.35)


@pytest.mark.parametrize("backbone", ["mlp", "convnet", "mobilenet"])
def test_between_its_rows_and_beyond(backbone: str) -> None:
    model = spec(model={"backbone": backbone}).model
    rows = [row for row in STEPS if row.backbone == backbone]
    least, most = min(row.seconds for row in rows), max(row.seconds for row in rows)
    assert least <= seconds_per_step(model, (40, 40, 3), 32) <= most
    assert least <= seconds_per_step(model, (4, 4, 1), 1)
    large = seconds_per_step(model, (512, 512, 3), 64)
    assert seconds_per_step(model, (512, 512, 3), 128) == pytest.approx(2 * large)
    assert large > most


def test_multiplications() -> None:
    assert MlpParams(hidden=(10, 5)).multiplications((4, 4, 2)) == 32 * 10 + 10 * 5
    small = ConvnetParams(filters=(8, 16), dense=32)
    expected = 9 * 3 * 8 * 8 * 8 + 9 * 8 * 16 * 4 * 4 + 2 * 2 * 16 * 32
    assert small.multiplications((8, 8, 3)) == expected
    full, narrow = (MobilenetParams(width=w).multiplications((224, 224, 3)) for w in (1.0, 0.35))
    assert full == 3.0e8
    assert narrow == pytest.approx(5.9e7, rel=0.02)
