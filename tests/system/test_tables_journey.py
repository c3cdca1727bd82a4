"""Two clinics' files, from uploads to answers over HTTP; a worker's child is called in process."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.cli.main import main
from app.client import Client
from app.datasets.schemas import DatasetOut
from app.jobs.schemas import JobOut
from app.main import create_app
from app.settings import Settings
from tests.serving import serve
from tests.system.clinics import english, german, people
from worker.machine.context import WorkerContext
from worker.process import runner

pytestmark = pytest.mark.slow

CASES = Path(__file__).parents[3] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")

JOB: dict[str, Any] = {
    "strategies": ["fine_tune"],
    "training": {"epochs": 8, "pretrain_epochs": 8, "min_steps": 0, "augmentation": None},
    "evaluation": {"seeds": 1, "references": ["linear"], "slices": ["Smokes"]},
    "deploy": {"name": "clinic", "when": "always"},
}
PICTURES = re.compile(r"pictures?\b|\bimages?\b|pixel", re.I)
Ktl = Callable[..., tuple[int, str, str]]


@pytest.fixture
def url(context: WorkerContext) -> Iterator[str]:
    with serve(create_app(context.settings)) as client:
        yield str(client.base_url)


@pytest.fixture
def ktl(
    url: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ktl:
    monkeypatch.setenv("KTL_URL", url)
    monkeypatch.setenv("KTL_DATA_DIR", str(settings.data_dir))

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ktl", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err

    return run


def added(ktl: Ktl, context: WorkerContext, client: Client, *arguments: object) -> DatasetOut:
    status, out, err = ktl("datasets", "add", *arguments, "--no-wait", "--json")
    assert status == 0, err
    runner.ingest(context, json.loads(out)["id"], "worker")
    return client.datasets.get(json.loads(out)["id"])


def submitted(ktl: Ktl, context: WorkerContext, client: Client, job_file: Path) -> JobOut:
    status, out, err = ktl("submit", job_file)
    assert status == 0, err
    job_id = out.strip()
    runner.train(context, "worker")
    runner.finalise(context, job_id, "worker")
    return client.jobs.get(job_id)


def test_from_two_files_to_answers(
    ktl: Ktl, context: WorkerContext, url: str, tmp_path: Path
) -> None:
    paths = {name: tmp_path / f"{name}.csv" for name in ("english", "german", "rows")}
    paths["english"].write_bytes(english())
    paths["german"].write_bytes(german(people(2, 160)))
    asked = people(3, 60)
    paths["rows"].write_bytes(german(asked, has_labels=False))
    with Client(url) as client:
        unclear = added(ktl, context, client, paths["english"])
        assert unclear.error is not None
        assert unclear.error["code"] == "target_unclear"

        target = ("--target", "diagnosis")
        source = added(ktl, context, client, paths["english"], *target)
        german_set = ("--encoding", "cp1252")
        clinic = added(ktl, context, client, paths["german"], *target, *german_set)
        assert (source.status, clinic.status) == ("ready", "ready"), (source.error, clinic.error)
        shown = ktl("datasets", "show", clinic.id)[1]
        assert "have a comma as decimal sign" in shown
        assert "read as %d.%m.%Y" in shown

        spec = {"sources": [{"dataset": source.id}], "target": {"dataset": clinic.id}, **JOB}
        (tmp_path / "job.json").write_text(json.dumps(spec))
        plan = ktl("validate", tmp_path / "job.json")[1]
        assert "4 columns shared" in plan
        job = submitted(ktl, context, client, tmp_path / "job.json")
        assert job.status == "succeeded", job.error
        report = client.jobs.report(job.id)
        [columns] = report.columns
        assert {each.name: each.source_name for each in columns.shared} == {
            "City": "city",
            "Smokes": "smokes",
            "Blood Pressure": "blood_pressure",
            "Age": "age",
        }
        assert (columns.target_only, columns.source_only) == (["admitted"], ["ward"])

        status, told, _ = ktl("report", job.id)
        assert status == 0
        assert ktl("report", job.id, "--html", tmp_path / "report.html")[0] == 0
        page = (tmp_path / "report.html").read_text()
        for text in (plan, shown, told, re.sub(r"<[^>]*>", " ", page)):
            assert not PICTURES.search(text), PICTURES.search(text)
        for heading in ("Models without a network", "Which columns are shared", "Smokes"):
            assert heading in page

        said = ktl("predict", "clinic", paths["rows"], "--encoding", "cp1252", "--json")
        assert said[0] == 0, said[2]
        labels = [each["label"] for each in json.loads(said[1])["outputs"]]
        told_ill = np.array(labels) == "ill"
        right = np.mean(told_ill == [row["ill"] for row in asked])
        assert right > 0.8
        check_ways(client, url, asked, labels)


def test_arms_with_source_rows_of_their_own(
    ktl: Ktl, context: WorkerContext, url: str, tmp_path: Path
) -> None:
    """Cities that only one clinic has, values missing, days of admission that nothing tells."""
    rows = people(3, 60)
    files = {"english": english(), "german": german(people(2, 160)), "rows": german(rows, False)}
    for name, content in files.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    target = ("--target", "diagnosis")
    with Client(url) as client:
        source = added(ktl, context, client, tmp_path / "english.csv", *target)
        own = added(ktl, context, client, tmp_path / "german.csv", *target, "--encoding", "cp1252")
        spec = {
            "sources": [{"dataset": source.id}],
            "target": {"dataset": own.id},
            **JOB,
            "strategies": ["pseudo_features", "domain_scaling"],
        }
        (tmp_path / "job.json").write_text(json.dumps(spec))
        job = submitted(ktl, context, client, tmp_path / "job.json")
        assert job.status == "succeeded", job.error
        [columns] = client.jobs.report(job.id).columns
        assert {each.name for each in columns.scaled} == {"Age", "Blood Pressure"}
        assert [(each.name, each.is_used) for each in columns.made_up] == [("admitted", False)]
        assert "`admitted` was not made up" in ktl("report", job.id)[1].replace("\n", " ")
        said = ktl("predict", "clinic", tmp_path / "rows.csv", "--encoding", "cp1252", "--json")
        assert said[0] == 0, said[2]
        ill = np.array([each["label"] == "ill" for each in json.loads(said[1])["outputs"]])
        assert np.mean(ill == [row["ill"] for row in rows]) > 0.8


def check_ways(client: Client, url: str, asked: list[dict[str, Any]], labels: list[str]) -> None:
    """JSON rows and the Open Inference Protocol answer what the command did."""
    fields = csv.reader(io.StringIO(german(asked, False).decode("cp1252")), delimiter=";")
    names, *lines = fields
    numbers = {"Age", "Blood Pressure"}

    def value(name: str, text: str) -> Any:
        known = float(text.replace(",", ".")) if text and name in numbers else text
        return known or None

    rows = [
        {name: value(name, text) for name, text in zip(names, line, strict=True)} for line in lines
    ]
    answer = client.deployments.predict("clinic", rows)
    assert [each.label for each in answer.outputs] == labels
    tensors = [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": "FP64" if name in numbers else "BYTES",
            "data": [row[name] for row in rows],
        }
        for name in names
    ]
    found = httpx.post(f"{url}/v2/models/clinic/infer", json={"inputs": tensors}, trust_env=False)
    assert found.status_code == 200, found.text
    [output] = found.json()["outputs"]
    scores = np.reshape(output["data"], output["shape"])
    assert [("ill", "well")[place] for place in scores.argmax(axis=1)] == labels


ALONE: dict[str, Any] = {
    "strategies": ["fine_tune"],
    "training": {"epochs": 10, "pretrain_epochs": 3, "augmentation": None},
    "evaluation": {"seeds": 1, "references": []},
    "deploy": {"name": "case", "when": "always"},
}


def trained(
    ktl: Ktl, context: WorkerContext, client: Client, folder: Path, file: str, *said: str
) -> Any:
    """A case's file as source and target; the job's report."""
    dataset = added(ktl, context, client, CASES / file, *said)
    assert dataset.status == "ready", dataset.error
    of = {"dataset": dataset.id}
    (folder / "job.json").write_text(json.dumps({"sources": [of], "target": of, **ALONE}))
    job = submitted(ktl, context, client, folder / "job.json")
    assert job.status == "succeeded", job.error
    return client.jobs.report(job.id)


@needs_cases
def test_answers_that_look_missing_are_learnt(
    ktl: Ktl, context: WorkerContext, url: str, tmp_path: Path
) -> None:
    """csvkit 806: accuracy 1 is reached only by whoever keeps NA, None and null as values."""
    with Client(url) as client:
        report = trained(
            ktl, context, client, tmp_path, "case_41_missing.csv", "--target", "outcome"
        )
        assert max(arm.metrics["accuracy"].mean for arm in report.arms.values()) == 1.0


@needs_cases
def test_prices_are_answered_in_the_users_unit(
    ktl: Ktl, context: WorkerContext, url: str, tmp_path: Path
) -> None:
    """autogluon-assistant 37, ludwig 640."""
    file = CASES / "case_43_houses.csv"
    with Client(url) as client:
        report = trained(ktl, context, client, tmp_path, file.name, "--target", "price")
        assert "accuracy" not in report.arms["scratch"].metrics
        assert report.arms["scratch"].metrics["mae"].mean < 30_000
        assert report.arms["scratch"].metrics["r2"].mean > 0.8
        status, out, err = ktl("predict", "case", file, "--json")
        assert status == 0, err
        values = [each["value"] for each in json.loads(out)["outputs"]]
        assert np.mean(values) == pytest.approx(517_616, rel=0.1)


@needs_cases
def test_rows_are_answered_or_pointed_to(
    ktl: Ktl, context: WorkerContext, url: str, tmp_path: Path
) -> None:
    """autogluon 3386, LightGBM 4102."""

    def asked(name: str) -> httpx.Response:
        body = (CASES / f"case_44_{name}.json").read_bytes()
        headers = {"Content-Type": "application/json"}
        path = f"{url}/v1/deployments/case/predict"
        return httpx.post(path, content=body, headers=headers, trust_env=False)

    with Client(url) as client:
        trained(ktl, context, client, tmp_path, "case_44_train.csv")
    good = asked("good").json()["outputs"]
    assert good[0]["label"] == "rich"
    assert asked("reordered").json()["outputs"] == good
    for name, pointer in (
        ("missing_column", "#/inputs/0/city"),
        ("extra_column", "#/inputs/0/symbol"),
        ("number_as_text", "#/inputs/0/income"),
        ("one_bad_of_three", "#/inputs/1/income"),
    ):
        answer = asked(name)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
        assert "n.d." not in answer.text
    for name in ("new_category", "null"):
        answer = asked(name)
        assert answer.status_code == 200
        codes = [each["code"] for each in answer.json().get("warnings", [])]
        assert codes == (["unknown_category"] if name == "new_category" else [])
