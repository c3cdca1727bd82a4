"""From a spec to its trials."""

from typing import Any

from app.jobs.plan import PlannedTrial, plan
from app.jobs.spec import ResolvedSpec
from tests.jobs.factories import SCHEMA


def spec(**fields: Any) -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_1"}],
            "target": {"dataset": "ds_2"},
            "model": {"backbone": "mlp"},
            "strategies": [{"name": "fine_tune"}, {"name": "lp_ft"}],
            "evaluation": {"seeds": 2},
            **fields,
        }
    )


def test_every_arm_runs_with_every_seed_after_one_pretraining() -> None:
    assert plan(spec(seed=7, target={"dataset": "ds_2", "labels_per_class": 5})) == [
        PlannedTrial("pretrain", "pretrain", 7, None, None),
        PlannedTrial("baseline", "scratch", 7, 5, None),
        PlannedTrial("transfer", "fine_tune", 7, 5, 0),
        PlannedTrial("transfer", "lp_ft", 7, 5, 0),
        PlannedTrial("baseline", "scratch", 8, 5, None),
        PlannedTrial("transfer", "fine_tune", 8, 5, 0),
        PlannedTrial("transfer", "lp_ft", 8, 5, 0),
    ]


def test_without_a_baseline() -> None:
    trials = plan(spec(evaluation={"seeds": 1, "baseline": False}))
    assert [trial.arm for trial in trials] == ["pretrain", "fine_tune", "lp_ft"]


def test_steps_by_hand() -> None:
    """40 items of which 4 are held out: 36 in batches of 10 are 4 steps an epoch."""
    pretrain, scratch, fine_tune, lp_ft = (
        trial.steps(
            spec(
                training={"epochs": 3, "pretrain_epochs": 2, "batch_size": 10},
                evaluation={"seeds": 1},
                strategies=[{"name": "fine_tune"}, {"name": "lp_ft", "params": {"max_epochs": 50}}],
            ),
            SCHEMA,
            SCHEMA,
        )
        for trial in plan(
            spec(evaluation={"seeds": 1}, training={"epochs": 3, "pretrain_epochs": 2})
        )
    )
    assert (pretrain, scratch, fine_tune, lp_ft) == (8, 12, 12, 212)


def test_steps_with_few_labels() -> None:
    """3 labels of 2 classes, 10 % held out: 6 items are one step an epoch."""
    few = spec(target={"dataset": "ds_2", "labels_per_class": 3}, training={"epochs": 5})
    assert plan(few)[1].steps(few, SCHEMA, SCHEMA) == 5
