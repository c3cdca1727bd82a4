"""A table of 5,000 columns and a few patients, as gene expression comes, from the upload to answers
over HTTP; a worker's child is called in process."""

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.client import Client
from app.inputs.table import TableInputs
from app.main import create_app
from tests.serving import serve
from worker.machine.context import WorkerContext
from worker.process import runner

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PATIENTS, ELSEWHERE, GENES, ASKED = 120, 60, 5_000, 20
PATIENCE = 300  # seconds: two tables of so many columns are compared before the answer
TOLD = 400  # genes that differ between the two kinds of patients
JOB: dict[str, Any] = {
    "strategies": ["fine_tune"],
    "model": {"backbone": "tabm", "params": {"hidden": [32], "members": 4}},
    "training": {"epochs": 12, "pretrain_epochs": 6, "min_steps": 0, "augmentation": None},
    "evaluation": {"seeds": 1, "references": ["linear", "forest"]},
    "deploy": {"name": "genes", "when": "always"},
}


def expression(seed: int, patients: int) -> tuple[np.ndarray, np.ndarray]:
    """(patients, GENES), float32, of which the first TOLD are higher in the ill; who is ill."""
    rng = np.random.default_rng(seed)
    ill = np.arange(patients) % 2 == 1
    values = np.exp(rng.normal(2, 1, (patients, GENES)))
    values[:, :TOLD] *= np.where(ill, 3.0, 1.0)[:, None]
    return np.round(values, 4).astype(np.float32), ill


def tsv(values: np.ndarray, ill: np.ndarray) -> bytes:
    """Tabs, a name per patient, and a first line of 75,000 characters."""
    names = ["patient", *(f"ENSG{gene:011}" for gene in range(GENES)), "diagnosis"]
    lines = ["\t".join(names)]
    for place, row in enumerate(values):
        fields = [f"{value:.4f}" for value in row.tolist()]
        lines.append("\t".join([f"p{place}", *fields, "ill" if ill[place] else "well"]))
    return ("\n".join(lines) + "\n").encode()


def test_from_a_wide_table_to_answers(context: WorkerContext, tmp_path: Path) -> None:
    path, other = tmp_path / "genes.tsv", tmp_path / "elsewhere.tsv"
    path.write_bytes(tsv(*expression(0, PATIENTS)))
    other.write_bytes(tsv(*expression(2, ELSEWHERE)))
    with serve(create_app(context.settings)) as served, Client(str(served.base_url)) as client:
        dataset_id = uploaded(served, context, path)
        dataset = client.datasets.get(dataset_id)
        assert dataset.status == "ready", dataset.error
        assert dataset.schema_ is not None
        inputs = dataset.schema_.inputs
        assert isinstance(inputs, TableInputs)
        assert len(inputs.columns) == GENES
        listed = served.get("/v1/datasets")
        assert len(listed.content) < 200_000
        assert listed.json()["data"][0]["columns_left_off"] == GENES + 2 - 100

        source = uploaded(served, context, other)
        domains = {"sources": [{"dataset": source}], "target": {"dataset": dataset_id}}
        sent = served.post("/v1/jobs", json={**domains, **JOB}, timeout=PATIENCE)
        assert sent.status_code == 202, sent.text
        job_id = sent.json()["id"]
        runner.train(context, "worker")
        runner.finalise(context, job_id, "worker")
        job = client.jobs.get(job_id)
        assert job.status == "succeeded", job.error
        assert len(sent.content) < 50_000
        report = served.get(f"/v1/jobs/{job_id}/report")
        assert len(report.content) < 2_000_000
        models = {name.partition("_")[0] for name in report.json()["references"]}
        assert models == {"linear", "forest"}
        assert len(served.get("/v1/models").content) < 100_000

        values, ill = expression(1, ASKED)
        names = [column.name for column in inputs.columns]
        rows = [dict(zip(names, row, strict=True)) for row in values.tolist()]
        rows[0] |= dict.fromkeys(names[TOLD : TOLD + 100])  # which are missing
        answer = client.deployments.predict("genes", rows)
        told_ill = np.array([each.label for each in answer.outputs]) == "ill"
        assert np.mean(told_ill == ill) > 0.8
        lacking = served.post("/v1/deployments/genes/predict", json={"inputs": [{names[0]: 1.0}]})
        assert lacking.status_code == 422
        assert len(lacking.content) < 10_000


def uploaded(served: httpx.Client, context: WorkerContext, path: Path) -> str:
    spec = {"name": "genes", "target": {"column": "diagnosis"}}
    with path.open("rb") as stream:
        answer = served.post(
            "/v1/datasets", data={"spec": json.dumps(spec)}, files={"file": (path.name, stream)}
        )
    assert answer.status_code == 202, answer.text
    dataset_id: str = answer.json()["id"]
    runner.ingest(context, dataset_id, "worker")
    return dataset_id
