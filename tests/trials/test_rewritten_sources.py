"""Source rows that an arm writes anew by what the target's rows tell, through whole jobs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.columns import NumberColumn
from app.inputs.table import TableInputs
from app.models.schemas import Signature
from app.tables.models import ModelRow
from app.tasks.classification import Classification
from tests.trials.jobs import page_of, report_of, run, submit
from tests.trials.stored import add_stored
from worker.machine.context import WorkerContext
from worker.trials.setup import setup_of
from worker.trials.trial_data import TrialData

pytestmark = pytest.mark.slow

TRAIN, TEST = 240, 200
LEARNT: dict[str, Any] = {
    "model": {"backbone": "mlp", "params": {"hidden": [32]}},
    "training": {
        "epochs": 30,
        "batch_size": 32,
        "min_steps": 0,
        "learning_rate": 0.01,
        "augmentation": None,
    },
    "evaluation": {"seeds": 1, "references": []},
    "strategies": ["domain_scaling", "pseudo_features"],
}
SOURCE = ("height", "weight")
TARGET = ("height", "weight", "waist", "noise")


def add_people(
    context: WorkerContext, folder: Path, seed: int, names: tuple[str, ...], height_unit: float
) -> str:
    """People who are ill where their weight is high for their height; `waist` follows from both,
    `noise` from nothing. A source and a target of one height_unit measure alike."""
    arrays, counts = dict[str, np.ndarray](), dict[str, tuple[int, ...]]()
    for number, (split, items) in enumerate((("train", TRAIN), ("test", TEST))):
        rng = np.random.default_rng([seed, number])
        height, extra = rng.normal(170, 10, items), rng.normal(0, 12, items)
        weight = 0.9 * height - 80 + extra
        y = (extra > 0).astype(np.int32)
        of = {
            "height": height * height_unit,
            "weight": weight,
            "waist": 85 + 0.8 * extra + rng.normal(0, 1, items),
            "noise": rng.normal(0, 1, items),
        }
        counts[split] = (int((y == 0).sum()), int((y == 1).sum()))
        x = np.stack([of[name] for name in names], 1).astype(np.float32)
        arrays |= {f"x_{split}": x, f"y_{split}": y}
    rows = arrays["x_train"].astype(np.float64)
    columns = [NumberColumn.fit(name, rows[:, place]) for place, name in enumerate(names)]
    inputs = TableInputs(columns=tuple(columns))
    arrays["sketch"] = inputs.sketch({"row": arrays["x_train"]})
    schema = Schema(
        inputs=inputs,
        task=Classification(classes=("well", "ill")),
        splits={"train": TRAIN, "test": TEST},
        class_counts=counts,
    )
    return add_stored(context, folder, f"people {seed} {height_unit} {names}", arrays, schema)


@pytest.fixture
def source(context: WorkerContext, tmp_path: Path) -> str:
    return add_people(context, tmp_path, 1, SOURCE, 1.0)


@pytest.fixture
def target(context: WorkerContext, tmp_path: Path) -> str:
    """Heights in inches."""
    return add_people(context, tmp_path, 2, TARGET, 1 / 2.54)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_labels_both_arms_stand_beside_the_plain_one(
    context: WorkerContext, source: str, target: str
) -> None:
    hidden = {**LEARNT, "target_use_labels": False}
    job, trials = run(context, submit(context, [{"dataset": source}], target, **hidden))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    report = report_of(job)
    found = {name: arm.metrics["accuracy"].mean for name, arm in report.arms.items()}
    assert found["source_only"] < 0.7  # everybody is short there
    assert found["domain_scaling"] > 0.9
    [columns] = report.columns
    assert [(each.arm, each.name) for each in columns.scaled] == [
        ("domain_scaling", "height"),
        ("domain_scaling", "weight"),
    ]
    assert columns.scaled[0].source_mean == pytest.approx(170, abs=2)
    assert columns.scaled[0].target_mean == pytest.approx(170 / 2.54, abs=1)
    waist, noise = columns.made_up
    assert (waist.name, waist.rows, waist.is_used) == ("waist", TRAIN, True)
    assert waist.quality is not None
    assert waist.quality > 0.8
    assert (noise.name, noise.is_used) == ("noise", False)
    page = page_of(context, job)
    assert "`waist` was made up in the source" in page
    assert "`noise` was not made up" in page
    assert "domain_scaling was trained with these on the target" in page
    again, trials = run(context, submit(context, [{"dataset": source}], target, **hidden))
    assert {trial.arm for trial in trials if trial.reused_from} == {
        "pretrain",
        "pretrain_domain_scaling",
        "pretrain_pseudo_features",
    }
    assert report_of(again).columns == report.columns


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_another_target_has_pretrainings_of_its_own(
    context: WorkerContext, source: str, target: str, tmp_path: Path
) -> None:
    """Two targets of equal edges: what is learnt of their rows is another thing."""
    changes = {**LEARNT, "strategies": ["domain_scaling"], "target_use_labels": False}
    run(context, submit(context, [{"dataset": source}], target, **changes))
    other = add_people(context, tmp_path, 2, TARGET, 1 / 2.54000001)
    _, trials = run(context, submit(context, [{"dataset": source}], other, **changes))
    assert "pretrain_domain_scaling" not in {t.arm for t in trials if t.reused_from}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_few_labels_and_a_model_of_the_targets_own_columns(
    context: WorkerContext, source: str, target: str
) -> None:
    """What is served knows nothing of the source's scale: its columns are the target's. Packaging
    has held its graph against Keras."""
    asked = {**LEARNT, "target_labels_per_class": 10, "deploy": {"name": "ill", "when": "always"}}
    job, trials = run(context, submit(context, [{"dataset": source}], target, **asked))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    report = report_of(job)
    assert report.arms["domain_scaling"].metrics["accuracy"].mean > 0.85
    assert report.winner in {"domain_scaling", "pseudo_features"}
    with context.database.read() as session:
        model = session.get_one(ModelRow, job.model_id)
    inputs = Signature.model_validate(model.signature).inputs
    assert isinstance(inputs, TableInputs)
    assert [column.name for column in inputs.columns] == [*TARGET]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_rows_are_written_anew_to_the_same_bits_by_whoever_goes_on(
    context: WorkerContext, source: str, target: str
) -> None:
    asked = {**LEARNT, "target_use_labels": False}
    _, trials = run(context, submit(context, [{"dataset": source}], target, **asked))
    for arm in ("pretrain_domain_scaling", "pretrain_pseudo_features"):
        trial = next(each for each in trials if each.arm == arm)
        rows = []
        for _ in range(2):
            with context.database.read() as session:
                data = TrialData.of(session, trial)
            rows.append(setup_of(context.storage, data).target.train.items.read()["row"])
        assert rows[0].tobytes() == rows[1].tobytes()
