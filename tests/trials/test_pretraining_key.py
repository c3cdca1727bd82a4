"""Two pretrainings share a key exactly when they train to the same weights."""

from typing import Any

import pytest

from app.spec.spec import ResolvedSpec
from app.spec.training import Training
from worker.trials import pretraining_key


def spec(**changes: Any) -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target"},
            "model": {"backbone": "mlp"},
            "strategies": [{"name": "fine_tune"}],
            **changes,
        }
    )


def key(content: str = "content", of_trial: int = 3, **changes: Any) -> str:
    job = spec(**changes)
    precision = job.training.precision
    resolved = "float32" if precision == "auto" else precision
    return pretraining_key.pretraining_key(job, content, of_trial, resolved)


KEY = key()


@pytest.mark.parametrize(
    "changes",
    [
        {"target": {"dataset": "ds_other", "labels_per_class": 5}},
        {"strategies": [{"name": "lp_ft"}]},
        {"evaluation": {"seeds": 9, "pretrain_seeds": 2, "learning_curve": [1]}},
        {"seed": 2},  # the trial's seed counts
        {"budget_seconds": 60},
        {"name": "n", "tags": {"a": "b"}, "deploy": {"name": "letters"}},
        {"training": {"epochs": 3, "pretrain_epochs": 10}},
    ],
)
def test_what_does_not_touch_the_weights(changes: dict[str, Any]) -> None:
    assert key(**changes) == KEY


OTHERWISE: dict[str, Any] = {
    "batch_size": 32,
    "optimizer": "sgd",
    "learning_rate": 0.002,
    "schedule": "cosine",
    "warmup_epochs": 1,
    "weight_decay": 0.1,
    "gradient_clip_norm": 1.0,
    "label_smoothing": 0.1,
    "ema_momentum": 0.9,
    "early_stopping": {"patience": 3},
    "augmentation": {"strength": "weak"},
    "precision": "mixed_bfloat16",
    "validation_fraction": 0.2,
    "pretrain_min_steps": 50,
    "hidden_columns": 0.3,
    "hidden_parts": 0.3,
    "parts_alone": 0.5,
}


def test_every_setting_of_the_training_is_looked_at() -> None:
    assert {*OTHERWISE, "epochs", "pretrain_epochs", "min_steps"} == set(Training.model_fields)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"backbone": "mlp", "params": {"hidden": [8]}}},
        {"model": {"backbone": "mlp", "image_size": [8, 8]}},
        {"training": {"epochs": 11}},
        {"training": {"pretrain_epochs": 11}},
        *({"training": {name: value}} for name, value in OTHERWISE.items()),
    ],
)
def test_what_does(changes: dict[str, Any]) -> None:
    assert key(**changes) != KEY


@pytest.mark.parametrize(
    "changes",
    [
        {"imbalance": "logit_adjustment"},
        {"imbalance": "focal"},
        {"label_noise": "gce"},
        {"label_noise": "drop_suspects"},
    ],
)
def test_what_is_done_about_flaws_does_and_nothing_done_is_as_before(
    changes: dict[str, Any],
) -> None:
    assert key(**changes) != KEY
    assert key(**dict.fromkeys(changes, "none")) == KEY


def test_rows_that_are_written_anew_do_and_so_does_the_target_then() -> None:
    def anew(how: str, target: str) -> str:
        return pretraining_key.pretraining_key(
            spec(), "content", 3, "float32", (), rewriting=(how, target)
        )

    assert pretraining_key.pretraining_key(spec(), "content", 3, "float32") == KEY
    found = {anew(how, to) for how in ("moments", "made_up") for to in ("one", "other")}
    assert len({KEY, *found}) == 5


def test_the_source_and_the_seed_do() -> None:
    assert len({KEY, key(content="other"), key(of_trial=4)}) == 3
