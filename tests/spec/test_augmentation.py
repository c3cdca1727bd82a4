"""What a job says of augmentation, and what becomes of it."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.spec.plan import plan
from app.spec.training import Space, TrainingChoice
from tests.spec.test_resolution import resolved, source, without_labels


@pytest.mark.parametrize("training", [{}, {"augmentation": "auto"}])
def test_it_is_left_to_searches_of_arms_that_train_on_views(training: dict[str, Any]) -> None:
    found, _ = resolved(strategies=["linear_probe", "fine_tune"], training=training)
    assert found.space == Space(augmentation=True)
    assert found.training.augmentation is None
    searched = [trial.arm for trial in plan(found) if trial.role == "search"]
    assert searched == ["scratch", "fine_tune"]


def test_arms_of_which_views_alone_are_open_share_a_search() -> None:
    """`auto` has its own, and so has what starts from another source."""
    named = ["linear_probe", "fine_tune", "auto", "l2_sp"]
    found, _ = resolved(source(), source(), strategies=named, combine="each")
    trials = plan(found)
    searches = {place: trial.arm for place, trial in enumerate(trials) if trial.role == "search"}
    waits = {trial.arm: searches.get(trial.depends_on or 0) for trial in trials if trial.seed == 0}
    for at in ("@1", "@2"):
        assert waits[f"l2_sp{at}"] == waits[f"fine_tune{at}"] == f"fine_tune{at}"
        assert waits[f"auto{at}"] == f"auto{at}"
        assert waits[f"linear_probe{at}"] is None
    assert waits["scratch"] == "scratch"
    assert len(searches) == 5
    tuned, _ = resolved(strategies=["fine_tune", "l2_sp"], training={"learning_rate": "auto"})
    assert sum(trial.role == "search" for trial in plan(tuned)) == 3


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


@pytest.mark.parametrize("strategy", ["auto", "fine_tune"])
def test_null_is_none(strategy: str) -> None:
    found, _ = resolved(strategies=[strategy], training={"augmentation": None})
    assert found.space.is_empty
    assert found.training.augmentation is None
