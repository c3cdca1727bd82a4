"""Seeds of a winner as one model, from their training to what is served."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from scipy.special import logsumexp, softmax

from app.main import create_app
from app.models.schemas import Signature
from app.settings import Settings
from app.tables.datasets import DatasetRow
from app.tables.models import ModelRow
from tests.jobs.requests import LOCAL
from tests.serving import serve
from tests.trials import jobs
from tests.trials.conftest import AddDataset
from tests.trials.test_run import job_of, run, submit
from worker.evaluation.archive import first_difference, read_arrays, recompute
from worker.evaluation.calibration import fit_temperature
from worker.evaluation.measures import measures_of
from worker.machine.context import WorkerContext
from worker.process import runner
from worker.training.data import Split
from worker.trials.ensembling import Judged, fitted_on, rows_of
from worker.trials.trial_data import TrialData

FEW = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def averaged(outputs: list[np.ndarray]) -> np.ndarray:
    return np.asarray(np.log(np.mean([softmax(each, axis=1) for each in outputs], axis=0)))


def test_items_are_judged_by_members_that_have_not_learnt_them() -> None:
    """150 items of two members, of which each has learnt 25: the 100 of both are fitted on."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 150)
    outputs = rng.normal(size=(2, 150, 3)) + 2 * np.eye(3)[y]
    unseen = np.ones((2, 150), bool)
    unseen[0, :25] = unseen[1, 25:50] = False
    outputs[~unseen] = np.nan  # which must not be looked at
    found = fitted_on(Judged(y, unseen, outputs), averaged)
    assert (found.judged_by, found.fitted.items, found.fitted.seeds) == (2, 100, 2)
    expected = fit_temperature(y[50:], averaged([*outputs[:, 50:]]))
    assert found.fitted.temperature == pytest.approx(expected)

    fewer = fitted_on(Judged(y[:149], unseen[:, :149], outputs[:, :149]), averaged)
    assert (fewer.judged_by, fewer.fitted.items) == (1, 149)
    alone = np.concatenate([outputs[1, :25], outputs[0, 25:50], averaged([*outputs[:, 50:149]])])
    assert fewer.fitted.temperature == pytest.approx(fit_temperature(y[:149], alone), rel=1e-4)

    few = fitted_on(Judged(y[:19], unseen[:, :19], outputs[:, :19]), averaged)
    assert few.fitted.temperature is None
    assert few.fitted.reason == "fewer than 20 validation items over all seeds: 19"


@pytest.mark.slow
@FEW
def test_the_seeds_of_the_winner_are_served_as_one(
    context: WorkerContext, add_dataset: AddDataset, settings: Settings, tmp_path: Path
) -> None:
    source, target = add_dataset(1, LOCAL), add_dataset(2, LOCAL)
    changes = {
        "training": {
            "epochs": 20,
            "batch_size": 16,
            "validation_fraction": 0.3,
            "augmentation": None,
        },
        "evaluation": {"seeds": 4},
        "deploy": {"name": "rows", "when": "always", "ensemble": "average"},
    }
    job_id = submit(context, source, target, LOCAL, **changes)
    trials = run(context, job_id)
    runner.finalise(context, job_id, "worker")
    job = job_of(context, job_id)
    with context.database.read() as session:
        model = session.get_one(ModelRow, job.model_id)
        stored_target = session.get_one(DatasetRow, job.target_id)
        data = {trial.id: TrialData.of(session, trial) for trial in trials}
    report = jobs.report_of(job)
    ensemble = report.ensemble
    assert ensemble is not None
    members = [t for t in trials if t.arm == ensemble.arm and t.role != "pretrain"]
    assert ensemble.seeds == [t.seed for t in members] == [*range(4)]
    arrays = {t.id: read_arrays(context.storage.local(str(t.predictions))) for t in members}

    # The rows that a trial held out are found again.
    for trial in members:
        split: Split = data[trial.id].target_split(context.storage, "train")
        learnt, held_out = rows_of(context.storage, data[trial.id])
        np.testing.assert_array_equal(split.y[held_out], arrays[trial.id]["y_validation"])
        assert not np.intersect1d(learnt, held_out).size

    signature = Signature.model_validate(model.signature)
    card = model.card
    assert card["ensemble"]["trials"] == [t.id for t in members]
    assert card["ensemble"]["judged_by"] == 1  # of fewer than 100 items
    assert card["calibration"]["items"] >= 20
    assert card["calibration"]["temperature"] == signature.temperature
    assert card["test"] == ensemble.metrics
    assert card["validation"] is None
    z = np.stack([arrays[t.id]["logits_test"] for t in members]).astype(float)
    mean = logsumexp(np.log(softmax(z, axis=2)), axis=0) - np.log(len(members))
    y = arrays[members[0].id]["y_test"]
    measured = measures_of(signature.task).measure(y, mean)
    assert ensemble.metrics == pytest.approx(measured)
    x = np.load(context.storage.local(stored_target.arrays["x_test"]))
    session_ = onnxruntime.InferenceSession(context.storage.local(model.files["onnx"]))
    (answered,) = session_.run(None, {"inputs": x.astype(np.float32)})
    expected = softmax(mean / (signature.temperature or 1), axis=1)
    np.testing.assert_allclose(answered, expected, atol=1e-4)

    assert ensemble.cost is not None
    assert ensemble.cost.bytes == context.storage.local(model.files["onnx"]).stat().st_size
    assert 2 < ensemble.cost.bytes / ensemble.cost.single_bytes < 5
    page = jobs.page_of(context, job)
    assert "Several seeds as one model" in page
    assert f"4 seeds of {ensemble.arm}" in page

    url = context.database.engine.url.render_as_string(hide_password=False)
    changed = settings.model_copy(update={"database_url": url, "broker_url": "memory://"})
    with serve(create_app(changed)) as client:
        question = {"inputs": x.tolist(), "raw_scores": True}
        raw = client.post("/v1/deployments/rows/predict", json=question).json()
        scores = [output["score"] for output in raw["outputs"]]
        np.testing.assert_allclose(scores, np.exp(mean).max(axis=1), atol=1e-4)
        archive = tmp_path / "evidence.zip"
        archive.write_bytes(client.get(f"/v1/jobs/{job_id}/predictions").content)
    made, stored = recompute(archive)
    assert first_difference(stored, made.model_dump(mode="json")) is None


@pytest.mark.slow
@FEW
def test_the_seeds_of_the_winner_are_learnt_by_one_network(
    context: WorkerContext, add_dataset: AddDataset, tmp_path: Path
) -> None:
    changes = {
        "training": {
            "epochs": 20,
            "batch_size": 16,
            "validation_fraction": 0.3,
            "augmentation": None,
        },
        "evaluation": {"seeds": 3},
        "deploy": {"name": "rows", "when": "always", "ensemble": "distill"},
    }
    job_id = submit(context, add_dataset(1, LOCAL), add_dataset(2, LOCAL), LOCAL, **changes)
    trials = run(context, job_id)
    runner.finalise(context, job_id, "worker")
    job = job_of(context, job_id)
    with context.database.read() as session:
        model = session.get_one(ModelRow, job.model_id)
        stored_target = session.get_one(DatasetRow, job.target_id)
        data = {trial.id: TrialData.of(session, trial) for trial in trials}
    report = jobs.report_of(job)
    ensemble = report.ensemble
    assert ensemble is not None
    assert ensemble.kind == "distill"
    learnt = ensemble.distilled
    assert learnt is not None
    members = [t for t in trials if t.arm == ensemble.arm and t.role != "pretrain"]
    assert model.card["distilled"]["trials"] == [t.id for t in members]
    assert "ensemble" not in model.card

    # What is served is the one network that the report measured, as large as one of its teachers.
    x = np.load(context.storage.local(stored_target.arrays["x_test"]))
    y = read_arrays(context.storage.local(str(members[0].predictions)))["y_test"]
    served = onnxruntime.InferenceSession(context.storage.local(model.files["onnx"]))
    (answered,) = served.run(None, {"inputs": x.astype(np.float32)})
    accuracy = float((answered.argmax(axis=1) == y).mean())
    assert learnt.metrics["accuracy"] == pytest.approx(accuracy)
    assert model.card["test"] == learnt.metrics
    assert learnt.over_average is not None
    assert learnt.over_average.mean == pytest.approx(accuracy - ensemble.metrics["accuracy"])
    assert learnt.over_mean is not None
    assert ensemble.over_mean is not None
    assert learnt.over_mean.mean - ensemble.over_mean.mean == pytest.approx(
        learnt.over_average.mean
    )
    assert ensemble.cost is not None
    size = context.storage.local(model.files["onnx"]).stat().st_size
    assert size < 1.5 * ensemble.cost.single_bytes < ensemble.cost.bytes

    # Its own held-out items were kept from it.
    start = next(t for t in members if t.seed == ensemble.single_seed)
    split = data[start.id].target_split(context.storage, "train")
    _, held_out = rows_of(context.storage, data[start.id])
    assert learnt.items == len(split) - len(held_out)
    assert model.card["calibration"]["items"] == len(held_out)

    # Its weights are what another job starts from.
    assert model.files["weights"] not in {str(t.weights) for t in members}
    page = jobs.page_of(context, job)
    assert "One network has learnt that mean" in page
    assert "distilled" in page


@pytest.mark.slow
@FEW
@pytest.mark.parametrize("takes_unlabelled", [False, True])
def test_unlabelled_items_are_learnt_on_where_the_job_uses_them(
    context: WorkerContext, add_dataset: AddDataset, takes_unlabelled: bool
) -> None:
    target = add_dataset(2)
    job_id = jobs.submit(
        context,
        [{"dataset": add_dataset(1)}],
        target,
        target_labels_per_class=2,
        strategies=["fine_tune", *["mcc"] * takes_unlabelled],
        target_use_unlabelled=takes_unlabelled,
        deploy={"name": "rows", "when": "always", "ensemble": "distill"},
    )
    job, trials = jobs.run(context, job_id)
    assert job.status == "succeeded", job.error
    ensemble = jobs.report_of(job).ensemble
    assert ensemble is not None
    assert ensemble.distilled is not None
    with context.database.read() as session:
        members = [
            TrialData.of(session, t)
            for t in trials
            if t.arm == ensemble.arm and t.role != "pretrain"
        ]
    start = next(each for each in members if each.trial.seed == ensemble.single_seed)
    learnt = {
        row for each in members for rows in rows_of(context.storage, each) for row in rows.tolist()
    }
    if takes_unlabelled:
        learnt = {*range(len(start.target_split(context.storage, "train")))}
    _, held_out = rows_of(context.storage, start)
    assert ensemble.distilled.items == len(learnt - {*held_out.tolist()})


@pytest.mark.slow
@FEW
@pytest.mark.parametrize("ensemble", ["average", "distill"])
def test_hidden_labels_calibrate_no_ensemble(
    context: WorkerContext, add_dataset: AddDataset, ensemble: str
) -> None:
    job_id = jobs.submit(
        context,
        [{"dataset": add_dataset(1)}],
        add_dataset(2),
        strategies=["mcc"],
        target_use_labels=False,
        deploy={"name": "rows", "when": "always", "ensemble": ensemble},
    )
    job, _ = jobs.run(context, job_id)
    assert job.status == "succeeded", job.error
    with context.database.read() as session:
        model = session.get_one(ModelRow, job.model_id)
    assert model.card["ensemble" if ensemble == "average" else "distilled"]["seeds"] == [0, 1]
    assert model.card["calibration"]["reason"] == "its validation items have no labels"
    assert model.signature["temperature"] is None
