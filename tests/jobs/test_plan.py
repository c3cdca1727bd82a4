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


def test_pretrainings_are_shared_out_among_the_seeds() -> None:
    evaluation = {"seeds": 3, "pretrain_seeds": 2}
    trials = plan(spec(seed=4, strategies=[{"name": "fine_tune"}], evaluation=evaluation))
    assert [(trial.role, trial.seed, trial.depends_on) for trial in trials] == [
        ("pretrain", 4, None),
        ("pretrain", 5, None),
        ("baseline", 4, None),
        ("transfer", 4, 0),
        ("baseline", 5, None),
        ("transfer", 5, 1),
        ("baseline", 6, None),
        ("transfer", 6, 0),
    ]


def test_the_jobs_own_budget_comes_before_the_rest_of_the_curve() -> None:
    trials = plan(
        spec(
            target={"dataset": "ds_2", "labels_per_class": 5},
            strategies=[{"name": "fine_tune"}],
            evaluation={"seeds": 2, "learning_curve": [None, 5, 2, 2]},
        )
    )
    assert [(trial.arm, trial.seed, trial.labels_per_class) for trial in trials[1:]] == [
        (arm, seed, budget)
        for budget in (5, 2, None)
        for seed in (0, 1)
        for arm in ("scratch", "fine_tune")
    ]
    assert {trial.depends_on for trial in trials if trial.role == "transfer"} == {0}


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
    assert (pretrain, scratch, fine_tune, lp_ft) == (8, 212, 12, 212)


def test_steps_with_few_labels() -> None:
    """3 labels of 2 classes, 10 % held out: 6 items are one step an epoch."""
    few = spec(target={"dataset": "ds_2", "labels_per_class": 3}, training={"epochs": 5})
    assert plan(few)[2].steps(few, SCHEMA, SCHEMA) == 5


def test_scratch_has_the_steps_of_the_longest_arm_as_long_as_they_are_few() -> None:
    """lp_ft has 300 + 10 epochs; 2,000 steps are 285 epochs of 7 steps, and 2 of 1,000."""
    job = spec(training={"epochs": 10, "batch_size": 64})
    assert job.baseline_epochs(64) == 310
    assert job.baseline_epochs(7 * 64) == 285
    assert job.baseline_epochs(1000 * 64) == 10
    alone = spec(training={"epochs": 10}, strategies=[{"name": "fine_tune"}])
    assert alone.baseline_epochs(64) == 10
