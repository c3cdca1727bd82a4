"""Optimizer steps from the epochs that are recorded."""

from typing import Any

import pytest

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.jobs.trial_steps import steps_taken
from app.spec.spec import ResolvedSpec
from app.tables.jobs import TrialRow
from app.tasks.classification import Classification

TARGET = Schema(
    inputs=ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255)),
    task=Classification(classes=("a", "b")),
    splits={"train": 99, "test": 10},
    class_counts={"train": (50, 49), "test": (5, 5)},
)


def spec(strategy: str, use_labels: bool = True) -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target", "use_labels": use_labels},
            "model": {"backbone": "convnet"},
            "strategies": [{"name": strategy}],
            "training": {"batch_size": 16},
        }
    )


def steps_of(job: ResolvedSpec, phases: dict[str, int], **trial: Any) -> Any:
    fields = {"id": "t", "role": "transfer", "labels_per_class": None, "seed": 0}
    row = TrialRow(**{**fields, **trial})
    return steps_taken(job, TARGET, [row], {"t": phases}).get("t")


@pytest.mark.parametrize(
    ("labels", "of_epoch"),
    [(None, 6), (17, 2)],  # 50 - 5 + 49 - 5 = 89 items; 2 (17 - 2) = 30
)
def test_a_head_s_steps_stand_apart(labels: int | None, of_epoch: int) -> None:
    found = steps_of(
        spec("lp_ft"), {"head": 21, "finetune": 10}, arm="lp_ft", labels_per_class=labels
    )
    assert found == {"steps": 10 * of_epoch, "head_steps": 21 * of_epoch}


def test_hidden_labels_are_held_out_as_one() -> None:
    """99 - 25 = 74 items are one batch; the bound's (50 - 12) + (49 - 12) = 75 are two."""
    job = spec("mcc", use_labels=False)
    changes = {"batch_size": 74, "validation_fraction": 0.25}
    job = job.model_copy(update={"training": job.training.model_copy(update=changes)})
    assert steps_of(job, {"adapt": 4}, arm="mcc") == {"steps": 4, "head_steps": 0}
    bound = steps_of(job, {"finetune": 4}, arm="target_supervised", role="bound")
    assert bound == {"steps": 8, "head_steps": 0}


def test_what_trains_no_weight_takes_no_step() -> None:
    job = spec("adabn", use_labels=False)
    assert steps_of(job, {}, arm="adabn") == {"steps": 0, "head_steps": 0}
    nothing = steps_of(job, {}, arm="source_only", role="baseline")
    assert nothing == {"steps": 0, "head_steps": 0}


@pytest.mark.parametrize("role", ["pretrain", "score", "search"])
def test_what_is_no_arm_s_trial_is_not_counted(role: str) -> None:
    assert steps_of(spec("lp_ft"), {"pretrain": 3}, arm="pretrain", role=role) is None
