"""Sources whose items are a picture and a row, targets of one of these: from jobs to graphs."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from app.datasets.schemas import Schema
from app.inputs import Inputs
from app.inputs.columns import NumberColumn
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.table import TableInputs
from app.models.schemas import Signature
from app.models.stored import file_path
from app.prediction import sessions
from app.tables.jobs import JobRow
from app.tables.models import ModelRow
from app.tasks.classification import Classification
from tests.trials.jobs import report_of, run, submit
from tests.trials.refusals import refused
from tests.trials.stored import add_stored
from worker.machine.context import WorkerContext

TRAIN, TEST = 80, 40
PICTURE = ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255))
FUSION: dict[str, Any] = {
    "backbone": "fusion",
    "params": {
        "image": {"filters": [4], "dense": 8},
        "table": {"hidden": [8]},
        "width": 8,
        "hidden": [8],
    },
}
TRAINING: dict[str, Any] = {
    "epochs": 20,
    "batch_size": 16,
    "min_steps": 0,
    "learning_rate": 0.02,
    "early_stopping": None,
    "augmentation": None,
}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def add(
    context: WorkerContext,
    folder: Path,
    seed: int,
    parts: tuple[str, ...],
    classes: tuple[str, ...] = ("dark", "bright"),
    columns: tuple[str, ...] = ("light", "noise"),
) -> str:
    """Items that are dark or bright: a picture says it, and so does the first column of a row.

    `parts`: some of `picture` and `row`, and further pictures by other names.
    """
    rng, arrays, counts = np.random.default_rng(seed), dict[str, np.ndarray](), {}
    every: dict[str, ImageInputs | TableInputs] = {}
    for split, items in (("train", TRAIN), ("test", TEST)):
        y = (np.arange(items) % 2).astype(np.int32)
        row = rng.normal(0, 0.3, (items, 2)).astype(np.float32)
        row[:, 0] += y
        lone = len(parts) == 1
        for part in parts:
            name = f"x_{split}" if lone else f"x_{split}.{part}."
            if part == "row":
                if split == "train":
                    fitted = (
                        NumberColumn.fit(column, row[:, place].astype(np.float64))
                        for place, column in enumerate(columns)
                    )
                    every[part] = TableInputs(columns=tuple(fitted))
                arrays[name + ("" if lone else "row")] = row
                continue
            every[part] = PICTURE
            light = rng.uniform(0, 60, (items, 8, 8, 1)) + 120 * y[:, None, None, None]
            arrays[name + ("" if lone else "image")] = light.astype("u1")
            if not lone:
                arrays[f"x_{split}.{part}.present"] = np.ones(items, np.uint8)
        arrays[f"y_{split}"] = y
        counts[split] = (items // 2, items // 2)
    inputs: Inputs = every[parts[0]]
    if len(parts) > 1:
        joined = tuple(JoinedPart(name=name, inputs=each) for name, each in every.items())
        inputs = JoinedInputs(parts=joined)
    schema = Schema(
        inputs=inputs,
        task=Classification(classes=classes),
        splits={"train": TRAIN, "test": TEST},
        class_counts=counts,
    )
    return add_stored(context, folder, f"{parts} {seed} {classes}", arrays, schema)


def model_of(context: WorkerContext, job: JobRow) -> ModelRow:
    with context.database.read() as session:
        return session.get_one(ModelRow, job.model_id)


@pytest.mark.slow
def test_pictures_from_pictures_and_rows(context: WorkerContext, tmp_path: Path) -> None:
    source = add(context, tmp_path, 1, ("picture", "row"))
    target = add(context, tmp_path, 2, ("picture",))
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        target_labels_per_class=8,
        model=FUSION,
        strategies=[
            "modality_distill",
            {"name": "modality_distill", "params": {"teacher": "others"}},
            "contrastive",
            "fine_tune",
        ],
        training=TRAINING,
    )
    job, _ = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    report = report_of(job)
    assert {"modality_distill", "modality_distill_2", "contrastive"} < set(report.arms)
    assert report.arms["modality_distill"].metrics["accuracy"].mean > 0.9
    assert report.parts == {}  # of items that are one part nothing can be hidden
    assert any(said.startswith("contrastive: the source has 80") for said in report.warnings)
    model = model_of(context, job)
    signature = Signature.model_validate(model.signature)
    assert signature.inputs == PICTURE
    onnx, golden = (file_path(context.storage, model, kind) for kind in ("onnx", "golden"))
    sessions.load(onnx, golden, signature.inputs, signature.task)  # asks the golden inputs again
    pictures = np.stack([np.full((8, 8, 1), light, np.float32) for light in (20, 160)])
    (said,) = onnxruntime.InferenceSession(onnx).run(None, {"inputs": pictures})
    assert said.argmax(1).tolist() == [0, 1]
    again = submit(
        context,
        [{"model": model.id}],
        add(context, tmp_path, 3, ("picture",)),
        model={"backbone": "auto"},
        strategies=["linear_probe"],
        training=TRAINING,
    )
    job, _ = run(context, again)
    assert (job.status, job.error) == ("succeeded", None)


@pytest.mark.slow
def test_rows_of_other_classes(context: WorkerContext, tmp_path: Path) -> None:
    """The target's part is found by its modality, its columns by their names, in another order; the
    teacher speaks of classes that the target has not."""
    source = add(context, tmp_path, 1, ("picture", "row"))
    target = add(
        context, tmp_path, 2, ("row",), classes=("low", "high"), columns=("light", "other")
    )
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        model=FUSION,
        strategies=["modality_distill", "auto"],
        training=TRAINING,
        evaluation={"seeds": 3},
    )
    job, _ = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    report = report_of(job)
    assert report.arms["modality_distill"].metrics["accuracy"].mean > 0.9
    names = {*report.references}
    assert names == {"linear_on_target", "forest_on_target", "boosting_on_target"}
    chosen = next(choice for choice in job.selection if choice["field"] == "strategies")
    assert "not contrastive: 80 pairs of the source's parts are too few" in chosen["reason"]
    assert Signature.model_validate(model_of(context, job).signature).inputs.modality == "table"


@pytest.mark.parametrize(
    ("code", "pointer", "parts", "target", "source"),
    [
        ("ambiguous_part", "#/sources/0/part", ("picture", "attic", "row"), "picture", {}),
        ("unknown_part", "#/sources/0/part", ("picture", "row"), "picture", {"part": "row"}),
        ("no_shared_part", "#/sources/0/dataset", ("picture", "attic"), "row", {}),
        ("part_not_used", "#/sources/0/part", ("picture",), "picture", {"part": "picture"}),
        ("needs_pairs", "#/strategies/0", ("picture",), "picture", {}),
    ],
)
def test_what_cannot_cross(
    context: WorkerContext,
    tmp_path: Path,
    code: str,
    pointer: str,
    parts: tuple[str, ...],
    target: str,
    source: dict[str, str],
) -> None:
    given = {"dataset": add(context, tmp_path, 1, parts), **source}
    problem = refused(
        context,
        "",
        add(context, tmp_path, 2, (target,)),
        sources=[given],
        strategies=["modality_distill"],
        model={"backbone": "auto"},
    )
    assert (code, pointer) in [(problem.code, each.pointer) for each in problem.findings]


def test_rows_that_share_no_column(context: WorkerContext, tmp_path: Path) -> None:
    source = add(context, tmp_path, 1, ("picture", "row"))
    target = add(context, tmp_path, 2, ("row",), columns=("length", "width"))
    problem = refused(context, source, target, model=FUSION)
    assert problem.code == "no_shared_column"


def test_a_part_that_is_named(context: WorkerContext, tmp_path: Path) -> None:
    source = add(context, tmp_path, 1, ("picture", "attic", "row"))
    target = add(context, tmp_path, 2, ("picture",))
    job_id = submit(
        context,
        [{"dataset": source, "part": "attic"}],
        target,
        model=FUSION,
        strategies=["linear_probe"],
        training={**TRAINING, "epochs": 2},
        evaluation={"seeds": 1},
    )
    job, _ = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
