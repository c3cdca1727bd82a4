"""From a spec to its trials."""

from typing import Any

from app.datasets.schemas import Schema
from app.spec.plan import PlannedTrial, plan, sources_of
from app.spec.spec import ResolvedSpec
from app.spec.training import Training
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
                training={"epochs": 3, "pretrain_epochs": 2, "batch_size": 10, "min_steps": 0},
                evaluation={"seeds": 1},
                strategies=[{"name": "fine_tune"}, {"name": "lp_ft", "params": {"max_epochs": 50}}],
            ),
            [SCHEMA],
            SCHEMA,
        )
        for trial in plan(
            spec(evaluation={"seeds": 1}, training={"epochs": 3, "pretrain_epochs": 2})
        )
    )
    assert (pretrain, scratch, fine_tune, lp_ft) == (8, 12, 12, 212)


def test_steps_with_few_labels() -> None:
    """3 labels of 2 classes, 10 % held out: 6 items are one step an epoch."""
    training = {"epochs": 5, "min_steps": 0}
    few = spec(target={"dataset": "ds_2", "labels_per_class": 3}, training=training)
    assert plan(few)[2].steps(few, [SCHEMA], SCHEMA) == 5


def test_where_epochs_are_few_steps_all_arms_get_more() -> None:
    """36 items in batches of 10 are 4 steps per epoch: 25 epochs are 100 steps. The pretraining
    does what the job says, and a head's own 50 epochs count for nothing."""
    few = spec(
        training={"epochs": 3, "batch_size": 10, "min_steps": 98},
        evaluation={"seeds": 1},
        strategies=[{"name": "fine_tune"}, {"name": "lp_ft", "params": {"max_epochs": 50}}],
    )
    assert [trial.steps(few, [SCHEMA], SCHEMA) for trial in plan(few)] == [12, 100, 100, 300]


def test_epochs_that_are_enough_steps_stay() -> None:
    training = Training(epochs=10, batch_size=64, min_steps=500)
    assert training.on(64 * 50).epochs == 10
    assert training.on(64 * 49).epochs == 11
    assert training.on(1).epochs == 500
    assert training.model_copy(update={"min_steps": 0}).on(1).epochs == 10


HIDDEN = {"dataset": "ds_9", "use_labels": False}
TWO = [{"dataset": "ds_1"}, {"dataset": "ds_2"}]


def rows(job: ResolvedSpec, target: Schema | None = None) -> list[tuple[str, str, int | None]]:
    return [(trial.role, trial.arm, trial.depends_on) for trial in plan(job, target)]


def test_several_sources_are_scored_and_each_arm_follows_its_own_pretraining() -> None:
    job = spec(sources=TWO, strategies=[{"name": "lp_ft"}], evaluation={"seeds": 1}, combine="both")
    assert rows(job) == [
        ("pretrain", "pretrain@1", None),
        ("pretrain", "pretrain@2", None),
        ("pretrain", "pretrain@all", None),
        ("score", "score@1", 0),
        ("score", "score@2", 1),
        ("baseline", "scratch", None),
        ("transfer", "lp_ft@1", 0),
        ("transfer", "lp_ft@2", 1),
        ("transfer", "lp_ft@all", 2),
    ]
    places = [sources_of(job, arm) for _, arm, _ in rows(job)]
    assert places == [(0,), (1,), (0, 1), (0,), (1,), (), (0,), (1,), (0, 1)]


def test_a_ranking_only_scores() -> None:
    job = spec(sources=TWO, kind="rank", combine="each", evaluation={"pretrain_seeds": 2})
    scored = [("score", "score@1", 0), ("score", "score@2", 2)]
    assert rows(job)[4:] == scored
    assert [arm for _, arm, _ in rows(job)[:4]] == ["pretrain@1"] * 2 + ["pretrain@2"] * 2
    measured = spec(sources=TWO, kind="rank", measure=True, combine="each")
    assert rows(measured)[2:4] == [("score", "score@1", 0), ("score", "score@2", 1)]
    assert {arm for _, arm, _ in rows(measured)[4:]} == {"scratch", *measured.arms}


def test_a_source_model_needs_no_pretraining() -> None:
    sources = [{"model": "mdl_1"}, {"dataset": "ds_2"}]
    job = spec(
        sources=sources,
        combine="each",
        strategies=[{"name": "lp_ft"}],
        evaluation={"seeds": 1, "baseline": False},
    )
    assert rows(job) == [
        ("pretrain", "pretrain@2", None),
        ("score", "score@1", None),
        ("score", "score@2", 0),
        ("transfer", "lp_ft@1", None),
        ("transfer", "lp_ft@2", 0),
    ]


def test_searches_stand_between_pretrainings_and_trials() -> None:
    """One of each pretraining, which the seeds share in turn; the baseline is searched for too."""
    job = spec(
        strategies=[{"name": "lp_ft"}],
        evaluation={"seeds": 3, "pretrain_seeds": 2},
        space={"learning_rate": True},
    )
    assert rows(job) == [
        ("pretrain", "pretrain", None),
        ("pretrain", "pretrain", None),
        ("search", "scratch", None),
        ("search", "lp_ft", 0),
        ("search", "lp_ft", 1),
        ("baseline", "scratch", 2),
        ("transfer", "lp_ft", 3),
        ("baseline", "scratch", 2),
        ("transfer", "lp_ft", 4),
        ("baseline", "scratch", 2),
        ("transfer", "lp_ft", 3),
    ]


def test_every_label_budget_has_its_own_search() -> None:
    job = spec(
        strategies=[{"name": "lp_ft"}],
        evaluation={"seeds": 1, "learning_curve": [5], "baseline": False},
        space={"epochs": True},
    )
    assert [(trial.role, trial.labels_per_class, trial.depends_on) for trial in plan(job)] == [
        ("pretrain", None, None),
        ("search", None, 0),
        ("transfer", None, 1),
        ("search", 5, 0),
        ("transfer", 5, 3),
    ]


def test_auto_is_searched_for_where_there_is_a_choice() -> None:
    portfolio = [{"name": "lp_ft"}, {"name": "fine_tune"}]
    evaluation = {"seeds": 1}
    job = spec(strategies=[{"name": "auto", "portfolio": portfolio}], evaluation=evaluation)
    assert rows(job)[1:] == [
        ("search", "auto", 0),
        ("baseline", "scratch", None),
        ("transfer", "auto", 1),
    ]
    alone = spec(strategies=[{"name": "auto", "portfolio": portfolio[:1]}], evaluation=evaluation)
    assert rows(alone)[1:] == [("baseline", "scratch", None), ("transfer", "auto", 0)]


def test_without_target_labels_there_are_bounds() -> None:
    job = spec(target=HIDDEN, strategies=[{"name": "shot"}])
    seed = [
        ("baseline", "source_only", 0),
        ("transfer", "shot", 0),
        ("bound", "target_supervised", None),
    ]
    assert rows(job) == rows(job, SCHEMA) == [("pretrain", "pretrain", None), *seed, *seed]
    unlabelled = SCHEMA.model_copy(update={"class_counts": {"train": (0, 0), "test": (10, 10)}})
    assert rows(job, unlabelled)[1:] == [*seed[:2], *seed[:2]]
    bare = spec(target=HIDDEN, strategies=[{"name": "shot"}], evaluation={"baseline": False})
    assert {role for role, _, _ in rows(bare)} == {"pretrain", "transfer"}


def test_source_only_trains_nothing_that_could_be_searched_for() -> None:
    job = spec(
        target=HIDDEN,
        strategies=[{"name": "shot"}],
        space={"learning_rate": True},
        evaluation={"seeds": 1},
    )
    assert rows(job)[1:] == [
        ("search", "shot", 0),
        ("baseline", "source_only", 0),
        ("transfer", "shot", 1),
        ("bound", "target_supervised", None),
    ]


def test_without_target_labels_all_sources_are_the_baselines() -> None:
    """Nothing is scored: that takes labels."""
    job = spec(
        sources=TWO,
        target=HIDDEN,
        strategies=[{"name": "shot"}],
        combine="both",
        evaluation={"seeds": 1, "baseline": True},
    )
    assert rows(job)[3:] == [
        ("baseline", "source_only", 2),
        ("transfer", "shot@1", 0),
        ("transfer", "shot@2", 1),
        ("transfer", "shot@all", 2),
        ("bound", "target_supervised", None),
    ]


def test_steps_of_searches_joint_sources_and_unlabelled_targets_by_hand() -> None:
    """40 items a dataset, 36 of them not held out; in batches of 10 that are 4 steps an epoch, and
    8 of two datasets."""
    training = {"epochs": 3, "batch_size": 10, "min_steps": 0}
    strategies = [{"name": "fine_tune"}]
    space = {"learning_rate": True}
    labelled = spec(
        sources=TWO, combine="joint", training=training, strategies=strategies, space=space
    )
    steps = [trial.steps(labelled, [SCHEMA] * 2, SCHEMA) for trial in plan(labelled)]
    assert steps[0] == 3 * 8
    assert steps[1:3] == [3 * 4 * 2] * 2  # a search may cost as much as both of its arm's trials
    assert steps[3:] == [3 * 4] * 4
    target = SCHEMA.model_copy(update={"class_counts": {"train": (0, 0), "test": (10, 10)}})
    hidden = spec(target=HIDDEN, training=training, strategies=[{"name": "shot"}])
    steps = [trial.steps(hidden, [SCHEMA], target) for trial in plan(hidden, target)]
    assert steps == [12, 1, 12, 1, 12]
    ranked = spec(sources=TWO, kind="rank", combine="each", training=training)
    steps = [trial.steps(ranked, [SCHEMA] * 2, SCHEMA) for trial in plan(ranked)]
    assert steps == [12, 12, 1, 1]
