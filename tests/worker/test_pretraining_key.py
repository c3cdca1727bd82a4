"""Two pretrainings share a key exactly when they train to the same weights."""

from typing import Any

import pytest

from app.jobs.spec import ResolvedSpec
from worker.pretraining_key import pretraining_key


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


KEY = pretraining_key(spec(), "content", 3)


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
    assert pretraining_key(spec(**changes), "content", 3) == KEY


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"backbone": "mlp", "params": {"hidden": [8]}}},
        {"model": {"backbone": "mlp", "image_size": [8, 8]}},
        {"training": {"epochs": 11}},
        {"training": {"pretrain_epochs": 11}},
        {"training": {"batch_size": 32}},
        {"training": {"learning_rate": 0.002}},
        {"training": {"schedule": "cosine"}},
        {"training": {"early_stopping": {"patience": 3}}},
        {"training": {"validation_fraction": 0.2}},
    ],
)
def test_what_does(changes: dict[str, Any]) -> None:
    assert pretraining_key(spec(**changes), "content", 3) != KEY


def test_the_source_and_the_seed_do() -> None:
    assert (
        len({KEY, pretraining_key(spec(), "other", 3), pretraining_key(spec(), "content", 4)}) == 3
    )
