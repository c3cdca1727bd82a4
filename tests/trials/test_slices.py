"""A job by the values of columns: from one table to a report of its parts, and what is refused."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.spec.report import Report
from tests.datasets.derived import House
from tests.datasets.hospitals import heart_csv
from tests.intake.test_intake import row_of
from tests.trials.jobs import page_of, run
from worker.datasets.stored_rows import StoredRows
from worker.evaluation.archive import first_difference, recompute
from worker.machine.context import WorkerContext

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SPEC: dict[str, Any] = {
    "target": {"column": "num"},
    "columns": {"hospital": {"role": "domain"}},
    "split": {"test_fraction": 0.5},
}


@pytest.fixture
def heart(house: House) -> str:
    found = house.upload({"heart.csv": heart_csv()}, **SPEC)
    assert found["status"] == "ready", found["error"]
    return str(found["id"])


def submit(house: House, source: str, target: str, slices: list[str]) -> httpx.Response:
    body = {
        "sources": [{"dataset": source}],
        "target": {"dataset": target},
        "model": {"backbone": "mlp", "params": {"hidden": [6]}},
        "strategies": ["fine_tune"],
        "training": {"epochs": 2, "batch_size": 16, "min_steps": 0, "augmentation": None},
        "evaluation": {"seeds": 2, "slices": slices},
    }
    return house.client.post("/v1/jobs", json=body)


@pytest.mark.slow
def test_from_a_hospital_to_all_by_hospital_and_age(
    house: House, heart: str, context: WorkerContext, tmp_path: Path
) -> None:
    source = house.derive(heart, where={"hospital": ["cleveland"]})["id"]
    answer = submit(house, source, heart, ["hospital", "age"])
    assert answer.status_code == 202, answer.text
    job, trials = run(context, answer.json()["id"])
    assert (job.status, job.error) == ("succeeded", None)
    report = Report.model_validate(job.report)
    hospital, age = report.slices
    assert sum(each.items for each in age.values) == report.test_items
    assert [each.value.split()[0] for each in age.values].count("over") == 3

    # The parts' metrics are those of the stored predictions, and the parts those of the rows.
    tuned = [trial for trial in trials if trial.arm == "fine_tune"]
    held = [np.load(context.storage.local(trial.predictions or "")) for trial in tuned]
    stored = StoredRows(context.storage.local(row_of(house.database, heart).arrays["rows"]))
    of_rows = np.array(stored.column("hospital").to_pylist()[-report.test_items :])
    for each in hospital.values:
        within = of_rows == each.value
        right = [
            (one["logits_test"].argmax(axis=1) == one["y_test"])[within].mean() for one in held
        ]
        if each.value != "(other)":
            assert each.items == within.sum()
            mean = each.arms["fine_tune"].metrics["accuracy"].mean
            assert mean == pytest.approx(np.mean(right))
    assert "Part by part of the test items" in page_of(context, job)

    archive = tmp_path / "evidence.zip"
    archive.write_bytes(house.client.get(f"/v1/jobs/{job.id}/predictions").content)
    made, kept = recompute(archive)
    assert first_difference(kept, made.model_dump(mode="json")) is None
    assert made.slices == report.slices


@pytest.mark.parametrize(
    ("slices", "code", "pointer", "told"),
    [
        (["hopital"], "unknown_column", "#/evaluation/slices/0", "near it are `hospital`"),
        (["sex", "blood"], "unknown_column", "#/evaluation/slices/1", "there are `hospital`"),
        (["sex", "sex"], "invalid_value", "#/evaluation/slices/1", "once"),
        ([""], "invalid_value", "#/evaluation/slices/0", "1"),
        (["a"] * 9, "invalid_value", "#/evaluation/slices", "8"),
    ],
)
def test_columns_that_the_target_does_not_have(
    house: House, heart: str, slices: list[str], code: str, pointer: str, told: str
) -> None:
    answer = submit(house, heart, heart, slices)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert told in answer.json()["detail"]


def test_a_column_of_one_value_has_no_slices(house: House, heart: str) -> None:
    men = house.derive(heart, where={"hospital": ["va"]})["id"]
    answer = submit(house, heart, men, ["sex"])
    assert (answer.status_code, answer.json()["code"]) == (422, "column_without_slices")


def test_pictures_without_columns_have_no_slices(house: House) -> None:
    digits = {"dataset": "catalog:digits"}
    body = {"sources": [digits], "target": digits, "evaluation": {"slices": ["sex"]}}
    answer = house.client.post("/v1/jobs", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_columns")
    assert answer.json()["errors"][0]["pointer"] == "#/evaluation/slices"
    assert "metadata.csv" in answer.json()["detail"]
