"""Jobs on flawed data: what is chosen reaches every arm, and the report says what was done."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.spec.spec import JobSpec
from app.tasks.classification import Classification
from tests.trials.jobs import report_of, run, submit
from tests.trials.stored import add_stored
from worker.machine.context import WorkerContext
from worker.training import program

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

COUNTS = {"train": (60, 20), "test": (90, 9)}


def add_blobs(context: WorkerContext, folder: Path, seed: int, flipped: int = 0) -> str:
    """Pictures that are bright above or below, 60 to 20; of the first class the labels of the
    first `flipped` training items are wrong."""
    rng, arrays = np.random.default_rng(seed), dict[str, np.ndarray]()
    for split, counts in COUNTS.items():
        y = np.repeat([0, 1], counts).astype(np.int32)
        x = rng.integers(0, 60, (len(y), 6, 6, 1)).astype(np.uint8)
        for label, half in enumerate((slice(3), slice(3, 6))):
            x[y == label, half] += 120
        if split == "train":
            y[:flipped] = 1
        arrays |= {f"x_{split}": x, f"y_{split}": y}
    train = (COUNTS["train"][0] - flipped, COUNTS["train"][1] + flipped)
    schema = Schema(
        inputs=ImageInputs(shape=(6, 6, 1), dtype="uint8", value_range=(0, 255)),
        task=Classification(classes=("above", "below")),
        splits={split: sum(counts) for split, counts in COUNTS.items()},
        class_counts={"train": train, "test": COUNTS["test"]},
    )
    return add_stored(context, folder, f"blobs {seed} {flipped}", arrays, schema)


def objectives_of(
    context: WorkerContext, folder: Path, monkeypatch: Any, **changes: Any
) -> list[Any]:
    """What the trials of a job were trained for: pretraining, scratch, a supervised arm and one
    with the source's data."""
    seen: list[Any] = []
    real = program._program

    def watching(architecture, source, name, strategy, setting):  # type: ignore[no-untyped-def]
        seen.append((name, setting.objective, setting.source_objective))
        return real(architecture, source, name, strategy, setting)

    monkeypatch.setattr(program, "_program", watching)
    source, target = add_blobs(context, folder, 1), add_blobs(context, folder, 2)
    strategies = ["fine_tune", "multi_task"]
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        strategies=strategies,
        evaluation={"seeds": 1},
        **changes,
    )
    job, _ = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    return seen


def test_every_arm_gets_the_same_loss_by_its_own_counts(
    context: WorkerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """54 and 18 items are left of 60 and 20, when a tenth is held out for validation."""
    seen = objectives_of(context, tmp_path, monkeypatch, imbalance="logit_adjustment")
    assert {name for name, _, _ in seen} == {"pretrain", "scratch", "fine_tune", "multi_task"}
    for _, objective, _ in seen:
        assert objective.offsets == pytest.approx((np.log(54 / 72), np.log(18 / 72)))
    of_source = {name: other for name, _, other in seen}
    assert of_source["multi_task"].offsets == pytest.approx((np.log(54 / 72), np.log(18 / 72)))


def test_choices_are_compared_arm_by_arm(
    context: WorkerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On items held out of the training data; the pretraining that all share has none of them."""
    seen: list[tuple[str, Any]] = []
    real = program._program

    def watching(architecture, source, name, strategy, setting):  # type: ignore[no-untyped-def]
        seen.append((name, type(setting.objective).__name__))
        return real(architecture, source, name, strategy, setting)

    monkeypatch.setattr(program, "_program", watching)
    source, target = add_blobs(context, tmp_path, 1), add_blobs(context, tmp_path, 2)
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        strategies=["fine_tune"],
        imbalance=["logit_adjustment", "class_weights"],
        evaluation={"seeds": 2},
    )
    job, _ = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    kinds = {name: {kind for of, kind in seen if of == name} for name, _ in seen}
    assert kinds["pretrain"] == {"ClassObjective"}
    assert kinds["scratch"] == kinds["fine_tune"] == {"LogitAdjusted", "ClassWeighted"}
    report = report_of(job)
    assert report.primary_metric == "balanced_accuracy"
    assert {search.arm for search in report.searches} == {"scratch", "fine_tune"}
    for search in report.searches:
        assert [each["imbalance"] for each in search.tried] == ["logit_adjustment", "class_weights"]
        assert all(each["score"] is not None for each in search.tried)
        chosen = search.chosen["imbalance"]
        assert search.reason.startswith(f"{search.arm} with {chosen}: balanced_accuracy")
        (said,) = [w for w in report.warnings if w.startswith(f"{search.arm} is trained with")]
        assert f"the imbalance {chosen}, chosen by balanced accuracy" in said


def test_suspects_are_left_out_of_every_training_and_counted(
    context: WorkerContext, tmp_path: Path
) -> None:
    source, target = add_blobs(context, tmp_path, 1), add_blobs(context, tmp_path, 2, flipped=6)
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        label_noise="drop_suspects",
        evaluation={"seeds": 2, "primary_metric": "auc"},
    )
    job, _ = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    report = report_of(job)
    assert report.primary_metric == "auc"
    gain = report.arms["fine_tune"].gain
    assert gain is not None
    assert gain.overall is not None
    of_target, of_source = (
        [warning for warning in report.warnings if f"training items of {where}" in warning]
        for where in ("the target", "pretrain (the source)")
    )
    assert len(of_target) == len(of_source) == 1
    # 72 of 80 are trained on; of the 6 flipped, those that no validation split took are left out.
    assert "of 72 training items" in of_target[0]
    assert any(
        f"left out {told} of" in of_target[0] for told in ("4", "5", "6", "5 to 6", "4 to 6")
    )
    assert "left out 0 of 72" in of_source[0]
    assert report.reference is not None
    assert report.reference.is_imbalanced
    for arm in report.arms.values():
        assert set(arm.metrics) >= {"auc", "average_precision", "balanced_accuracy"}
        assert [each.recall is not None for each in arm.per_class] == [True, True]


@pytest.mark.slow
def test_smoothing_is_not_chosen_where_the_loss_has_no_room_for_it(
    context: WorkerContext, tmp_path: Path
) -> None:
    source, target = add_blobs(context, tmp_path, 1), add_blobs(context, tmp_path, 2)
    resolved = {}
    for noise in ("none", "gce"):
        job_id = submit(
            context,
            [{"dataset": source}],
            target,
            target_use_labels=False,
            strategies=["coral"],
            label_noise=noise,
            evaluation={"seeds": 1},
        )
        job, _ = run(context, job_id)
        assert (job.status, job.error) == ("succeeded", None)
        resolved[noise] = JobSpec.model_validate(
            {key: job.spec[key] for key in ("sources", "target", "training", "label_noise")}
        )
    assert resolved["none"].training.label_smoothing == 0.1
    assert resolved["gce"].training.label_smoothing == 0
