"""Rows of one patient, through the public door: on one side of each cut that a job makes."""

from typing import Any

import httpx
import numpy as np
import pytest

from app.tables.jobs import TrialRow
from tests.datasets.derived import House
from tests.intake.tables import csv_text
from tests.trials.jobs import SMALL, report_of, run
from worker.machine.context import WorkerContext
from worker.trials.ensembling import rows_of
from worker.trials.setup import setup_of
from worker.trials.trial_data import TrialData

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ROWS, EACH = 200, 5
PATIENTS = [f"p{row // EACH}" for row in range(ROWS)]


def submit(house: House, dataset: str, **changes: Any) -> httpx.Response:
    body = {**SMALL, "sources": [{"dataset": dataset}], "target": {"dataset": dataset}, **changes}
    return house.client.post("/v1/jobs", json=body)


def test_a_job_holds_whole_patients_out(house: House, context: WorkerContext) -> None:
    """A network that knows a patient's other rows by heart would look well calibrated."""
    height = [f"{row // EACH + row % EACH / 100:.2f}" for row in range(ROWS)]
    text = csv_text(ROWS, height=height, patient=PATIENTS)
    found = house.upload({"t.csv": text.encode()}, split={"group": "patient"})
    assert found["status"] == "ready", found["error"]
    answer = submit(house, found["id"])
    assert answer.status_code == 202, answer.text
    job, trials = run(context, answer.json()["id"])
    assert (job.status, job.error) == ("succeeded", None)
    (said,) = (each for each in report_of(job).warnings if "groups" in each)
    assert said.startswith(f"the {ROWS // 5} test items are of {ROWS // 5 // EACH} groups")
    patients = [float(h) // 1 for h in height]
    assert len(set(patients)) == ROWS // EACH
    for trial in trials:
        with context.database.read() as session:
            data = TrialData.of(session, session.get_one(TrialRow, trial.id))
        setup = setup_of(context.storage, data)
        sides = [
            {*np.floor(split.items.read()["row"][:, 0]).tolist()}
            for split in (setup.target.train, setup.target.validation)
        ]
        assert all(sides)
        assert not sides[0] & sides[1]
        if trial.role != "pretrain":
            learnt, held = rows_of(context.storage, data)
            assert (len(learnt), len(held)) == (
                len(setup.target.train),
                len(setup.target.validation),
            )
