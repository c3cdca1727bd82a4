"""From training to the scores that a deployment answers."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from app.main import create_app
from app.models.schemas import FittedTemperature, Signature
from app.settings import Settings
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow
from app.tables.models import ModelRow
from app.traffic.counts import answers_on_test
from tests.jobs.requests import LOCAL
from tests.serving import serve
from tests.trials import jobs
from tests.trials.conftest import AddDataset
from tests.trials.test_run import job_of, run, submit
from worker.evaluation.archive import read_arrays
from worker.evaluation.calibration import fit_temperature
from worker.machine.context import WorkerContext
from worker.process import runner

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # one engine is enough here
]

URL = "/v1/deployments/rows/predict"


def model_of(context: WorkerContext, job: JobRow) -> tuple[ModelRow, Signature, FittedTemperature]:
    with context.database.read() as session:
        model = session.get_one(ModelRow, job.model_id)
    calibration = FittedTemperature.model_validate(model.card["calibration"])
    return model, Signature.model_validate(model.signature), calibration


def test_a_deployment_answers_calibrated_scores_and_raw_ones(
    context: WorkerContext, add_dataset: AddDataset, settings: Settings
) -> None:
    """The 3 validation items of one seed are too few for a temperature, the 21 of all are not."""
    changes = {
        "training": {"epochs": 20, "batch_size": 16, "augmentation": None},
        "evaluation": {"seeds": 7},
        "deploy": {"name": "rows", "when": "always"},
    }
    job_id = submit(context, add_dataset(1, LOCAL), add_dataset(2, LOCAL), LOCAL, **changes)
    trials = run(context, job_id)
    runner.finalise(context, job_id, "worker")
    job = job_of(context, job_id)
    model, signature, calibration = model_of(context, job)
    of_arm = [trial for trial in trials if trial.arm == model.card["arm"]]
    stored = {
        trial.id: read_arrays(context.storage.local(trial.predictions))
        for trial in of_arm
        if trial.predictions
    }
    y, logits = (
        np.concatenate([arrays[f"{name}_validation"] for arrays in stored.values()])
        for name in ("y", "logits")
    )
    assert (calibration.items, calibration.seeds) == (len(y), 7) == (21, 7)
    assert calibration.temperature == signature.temperature == fit_temperature(y, logits)
    assert signature.inputs.value_range == (0, 255)

    with context.database.read() as session:
        target = session.get_one(DatasetRow, job.target_id)
    x = np.load(context.storage.local(target.arrays["x_test"]))
    z = stored[str(model.trial_id)]["logits_test"]
    with served(context, settings) as client:
        for is_raw, temperature in ((False, signature.temperature), (True, 1.0)):
            question = {"inputs": x.tolist(), "raw_scores": is_raw}
            answer = client.post(URL, json=question).json()
            assert (answer["calibrated"], answer["temperature"]) == (not is_raw, temperature)
            labels = [output["label"] for output in answer["outputs"]]
            assert labels == [signature.task.classes[best] for best in z.argmax(axis=1)]
            np.testing.assert_allclose(
                [output["score"] for output in answer["outputs"]],
                softmax(z / temperature, axis=1).max(axis=1),
                atol=1e-4,
            )
        seen = answers_on_test(model.card)  # what later answers are held against
        assert seen is not None
        assert (seen.items, seen.kinds) == (len(z), dict(Counter(z.argmax(axis=1).tolist())))
        sure = softmax(z / signature.temperature, axis=1).max(axis=1)
        assert seen.confidence == pytest.approx(sure.sum(), rel=1e-5)
        divided = client.post(URL, json={"inputs": (x / 255).tolist()})
        assert (divided.status_code, divided.json()["code"]) == (422, "wrong_scale")


def test_hidden_labels_calibrate_nothing(context: WorkerContext, add_dataset: AddDataset) -> None:
    source, target = add_dataset(1), add_dataset(2)
    changes = {"strategies": ["adabn"], "evaluation": {"seeds": 1}, "target_use_labels": False}
    job, _ = jobs.run(context, jobs.submit(context, [{"dataset": source}], target, **changes))
    _, signature, calibration = model_of(context, job)
    assert signature.temperature is calibration.temperature is None
    assert calibration.reason == "its validation items have no labels"


def served(context: WorkerContext, settings: Settings) -> Any:
    url = context.database.engine.url.render_as_string(hide_password=False)
    return serve(
        create_app(settings.model_copy(update={"database_url": url, "broker_url": "memory://"}))
    )
