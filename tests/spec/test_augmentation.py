"""What a job says of augmentation, and what becomes of it."""

import pytest
from pydantic import ValidationError

from app.spec.plan import plan
from app.spec.training import Space, TrainingChoice
from tests.spec.test_resolution import resolved, without_labels


def test_auto_is_left_to_searches_of_each_arm_that_trains_on_views() -> None:
    found, _ = resolved(strategies=["linear_probe", "fine_tune"], training={"augmentation": "auto"})
    assert found.space == Space(augmentation=True)
    assert found.training.augmentation is None
    searched = [trial.arm for trial in plan(found) if trial.role == "search"]
    assert searched == ["scratch", "fine_tune"]


def test_without_labels_there_is_none_and_the_reason_is_said() -> None:
    found, choices = without_labels(strategies=["mcc"], training={"augmentation": "auto"})
    assert found.space.is_empty
    assert found.training.augmentation is None
    assert "changed items" in choices["training.augmentation"].reason


def test_said_augmentation_stays() -> None:
    found, _ = resolved(training={"augmentation": {"strength": "strong"}})
    assert found.space.is_empty
    assert found.training.augmentation
    assert found.training.augmentation.words == "strong"


def test_another_word_is_refused() -> None:
    with pytest.raises(ValidationError, match="augmentation"):
        TrainingChoice.model_validate({"augmentation": "some"})


def test_a_job_that_leaves_its_strategies_open_leaves_augmentation_open() -> None:
    for strategies, training, expected in (
        (["auto"], {}, True),
        (["auto", "fine_tune"], {"epochs": 3}, True),
        (["auto"], {"augmentation": None}, False),
        (["fine_tune"], {}, False),
    ):
        found, _ = resolved(strategies=strategies, training=training)
        assert found.space.augmentation is expected, (strategies, training)
