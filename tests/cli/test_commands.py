"""The commands against the real API. No worker runs: jobs wait until they are cancelled."""

import json
import os
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest

from app.cli.supervisor import free_port
from app.spec.spec import EXAMPLE, JobSpec
from tests.client.test_transport import PREDICTION
from tests.schemas import signature

EXAMPLES = ("examples/digits.json", "examples/mnist_to_letters.json", "examples/houses.json")


@pytest.fixture
def job_file(tmp_path):
    path = tmp_path / "job.json"
    path.write_text(json.dumps(EXAMPLE))
    return path


def test_help_is_light():
    script = "import app.cli.main, sys; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True)
    heavy = {"fastapi", "sqlalchemy", "celery", "numpy", "httpx", "pydantic", "rich", "tensorflow"}
    assert not heavy & set(loaded.split())


@pytest.mark.parametrize("asked", ["jobs", "models", "keys"])
def test_lists_are_light(scripted, asked):
    scripted.answer(200, {"data": [], "has_more": False, "next": None})
    script = f"import sys; sys.argv[1:] = ['{asked}', 'list']; import app.cli.main as m; m.main()"
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", script],
        check=False,
        env={**os.environ, "KTL_URL": scripted.url},
        capture_output=True,
        text=True,
    )
    loaded = {line.rsplit("|", 1)[-1].strip() for line in ran.stderr.splitlines()}
    assert ran.returncode == 0
    assert "httpx" in loaded
    assert not {"fastapi", "sqlalchemy", "celery", "numpy", "click", "rich.progress"} & loaded
    assert "app.client.ktl._async.client" not in loaded


@pytest.mark.parametrize("asked", [["--help"], ["-h"]])
def test_help(ktl, asked):
    assert "Transfer learning as a service" in ktl(*asked).out


def test_help_of_one_command(ktl):
    assert ktl("submit", "-h").out == ktl("submit", "--help").out != ""


@pytest.mark.parametrize("asked", ["--version", "-V"])
def test_the_version(ktl, asked):
    assert ktl(asked).out == f"ktl {version('ktl')}\n"


@pytest.mark.parametrize("path", EXAMPLES)
def test_examples_are_jobs(pytestconfig, path):
    JobSpec.model_validate_json((pytestconfig.rootpath / path).read_text())


def test_the_worked_example_is_the_demo(pytestconfig):
    assert json.loads((pytestconfig.rootpath / EXAMPLES[0]).read_text()) == EXAMPLE


def test_a_jobs_life(ktl, api, job_file):
    submitted = ktl("submit", job_file, "--set", "name=mine")
    assert submitted.status == 0
    job_id = submitted.out.strip()
    assert json.loads(ktl("job", job_id, "--json").out)["name"] == "mine"
    assert job_id in ktl("jobs").out
    assert json.loads(ktl("jobs", "--status", "running", "--json").out) == []
    assert json.loads(ktl("pause", job_id, "--json").out)["status"] == "paused"
    assert "paused" in ktl("job", job_id).out
    assert json.loads(ktl("resume", job_id, "--json").out)["status"] == "queued"
    assert ktl("metrics", job_id).out.count("scratch") == 6
    assert ktl("metrics", job_id, "--csv").out.startswith("trial,arm,seed")
    assert len(json.loads(ktl("metrics", job_id, "--arm", "auto", "--json").out)["trials"]) == 6
    assert ktl("cancel", job_id).status == 0

    refused = ktl("retry", job_id)
    assert refused.status == 1
    assert "409 job_ended" in refused.err


def test_watching_ends_with_the_jobs_status(ktl, api, job_file):
    job_id = ktl("submit", job_file).out.strip()
    ktl("cancel", job_id)
    watched = ktl("watch", job_id)
    assert (watched.status, watched.err.count("cancelled")) == (1, 2)
    assert "cancelled, 0 of 13 trials finished" in watched.err
    lines = ktl("watch", job_id, "--json").out.splitlines()
    assert json.loads(lines[-1])["status"] == "cancelled"


def test_a_plan(ktl, api, job_file):
    plan = ktl("validate", job_file)
    assert "13 trials" in plan.out
    assert "nothing with this backbone was trained here yet" in plan.out
    each = ktl("validate", job_file, "--trials")
    assert len(each.out.splitlines()) - len(plan.out.splitlines()) == 13 - 5  # roles and arms
    assert len(json.loads(ktl("validate", job_file, "--json").out)["trials"]) == 13


def test_a_refusal_shows_its_findings(ktl, api, job_file):
    refused = ktl("submit", job_file, "--set", "target.labels_per_class=100000")
    assert refused.status == 1
    assert "422 too_few_labels" in refused.err
    assert "#/target/labels_per_class: expected at most" in refused.err
    assert "got 100000" in refused.err

    as_json = ktl("submit", job_file, "--set", "target.labels_per_class=100000", "--json")
    assert json.loads(as_json.out)["code"] == "too_few_labels"


def test_usage_errors(ktl, api, job_file, tmp_path):
    assert ktl("submit").status == 2
    assert ktl("submit", tmp_path / "none.json").status == 2
    assert ktl("submit", job_file, "--set", "sources.7.dataset=ds_1").status == 2
    assert ktl("predict", "digits", tmp_path / "none.npy").status == 2
    assert ktl("datasets", "add", tmp_path / "none.npz").status == 2
    assert ktl("deployments", "canary", "digits").status == 2


def test_no_api(ktl, monkeypatch):
    monkeypatch.setenv("KTL_URL", f"http://127.0.0.1:{free_port()}")
    ended = ktl("jobs")
    assert ended.status == 3
    assert "ktl up" in ended.err


def test_datasets(ktl, api, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((20, 4, 4), np.uint8), y=np.arange(20) % 2)
    added = ktl("datasets", "add", tmp_path / "a.npz", "--name", "mine", "--no-wait", "--json")
    dataset = json.loads(added.out)
    assert (added.status, dataset["name"], dataset["status"]) == (0, "mine", "ingesting")
    assert dataset["id"] in ktl("datasets", "list").out
    assert dataset["id"] in ktl("datasets", "show", dataset["id"]).out
    assert "catalog:digits" in ktl("datasets", "list", "--catalogue").out
    assert ktl("datasets", "add", "catalog:digits", "--no-wait").status == 0
    assert ktl("datasets", "delete", dataset["id"]).status == 0
    assert ktl("datasets", "show", dataset["id"]).status == 1


def test_what_values_and_labels_of_a_dataset_mean(ktl, api, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((20, 4, 4), np.uint8), y=np.arange(20) % 2)
    add = ("datasets", "add", tmp_path / "a.npz", "--no-wait", "--json")
    assert ktl(*add, "--value-range", "-1", "1", "--missing-label", "nan").status == 0
    assert ktl(*add, "--all-classes").status == 0
    refused = ktl(*add, "--value-range", "1", "0")
    assert refused.status == 1
    assert json.loads(refused.out)["errors"][0]["pointer"] == "#/spec/value_range"
    assert ktl(*add, "--all-classes", "--missing-label", "nan").status == 2


def test_what_a_table_is(ktl, api, tmp_path):
    table = tmp_path / "people.csv"
    table.write_text("age;ill\n1,5;yes\n2,5;no\n")
    (tmp_path / "spec.json").write_text('{"name": "said", "split": {"group": "age"}}')
    add = ("datasets", "add", table, "--no-wait", "--json")
    told = ("--target", "ill", "--spec", tmp_path / "spec.json", "--columns", "age=ignore")
    added = ktl(*add, *told)
    assert added.status == 0, added.err
    assert json.loads(added.out)["name"] == "said"
    assert ktl(*add, "--target", "ill", "--no-labels").status == 2
    assert ktl("datasets", "add", "catalog:digits", "--target", "ill").status == 2


def test_models_and_deployments(ktl, api):
    assert json.loads(ktl("models", "--json").out) == []
    assert json.loads(ktl("deployments", "--json").out) == []
    assert ktl("deployments", "point", "digits", "mdl_1").status == 1


def test_predictions(ktl, scripted, monkeypatch, tmp_path):
    monkeypatch.setenv("KTL_URL", scripted.url)
    np.save(tmp_path / "x.npy", np.zeros((1, 2, 2), np.uint8))
    (tmp_path / "x.json").write_text('{"inputs": [[[0, 1]]]}')
    scripted.answer(200, PREDICTION)
    shown = ktl("predict", "digits", tmp_path / "x.npy")
    assert shown.out.split() == ["item", "label", "score", "0", "7", "0.9000"]
    answer = json.loads(ktl("predict", "digits", tmp_path / "x.json", "--top-k", 1, "--json").out)
    assert answer["outputs"][0]["label"] == "7"
    assert json.loads(scripted.requests[1][3]) == {"inputs": [[[0, 1]]], "top_k": 1}


def test_predictions_say_whether_their_scores_are_calibrated(ktl, scripted, monkeypatch, tmp_path):
    monkeypatch.setenv("KTL_URL", scripted.url)
    np.save(tmp_path / "x.npy", np.zeros((1, 2, 2), np.uint8))
    scripted.answer(200, PREDICTION)
    scripted.answer(200, PREDICTION | {"calibrated": True, "temperature": 1.4234})
    assert ktl("predict", "digits", tmp_path / "x.npy").err == "scores are not calibrated\n"
    said = ktl("predict", "digits", tmp_path / "x.npy", "--raw-scores").err
    assert said == "scores are calibrated (temperature 1.42)\n"
    assert [path.partition("?")[2] for _, path, _, _ in scripted.requests] == [
        "",
        "raw_scores=true",
    ]


def test_predictions_show_doubts_about_the_inputs(ktl, scripted, monkeypatch, tmp_path):
    monkeypatch.setenv("KTL_URL", scripted.url)
    np.save(tmp_path / "x.npy", np.ones((1, 2, 2), np.uint8))
    warning = {"code": "wrong_scale", "detail": "expected 0 to 255", "pointer": "#/inputs"}
    scripted.answer(200, PREDICTION | {"warnings": [warning]})
    scripted.answer(422, {"code": "wrong_scale", "detail": "expected 0 to 255", "errors": []})
    warned = ktl("predict", "digits", tmp_path / "x.npy")
    assert (warned.status, "0.9000" in warned.out) == (0, True)
    assert "warning: wrong_scale: #/inputs: expected 0 to 255" in warned.err
    refused = ktl("predict", "digits", tmp_path / "x.npy")
    assert (refused.status, refused.out) == (1, "")
    assert "422 wrong_scale: expected 0 to 255" in refused.err


def test_models_show_their_temperature_and_the_items_behind_it(ktl, scripted, monkeypatch):
    monkeypatch.setenv("KTL_URL", scripted.url)
    model = {
        "id": "mdl_1",
        "name": "m",
        "origin": "job",
        "job_id": None,
        "status": "ready",
        "signature": signature((2, 2, 1), ["a", "b"]).model_dump(mode="json"),
        "hashes": {},
        "deployments": [],
        "created_at": "2026-01-01T00:00:00Z",
    }
    cards = [
        {"calibration": {"temperature": 1.4234, "items": 120, "seeds": 1, "reason": None}},
        {"calibration": {"temperature": None, "items": 0, "seeds": 0, "reason": "no labels"}},
        {},
    ]
    data = [model | {"card": card} for card in cards]
    scripted.answer(200, {"data": data, "has_more": False, "next": None})
    _, *rows = ktl("models").out.splitlines()
    assert ["1.42" in rows[0], "120 validation items" in rows[0]] == [True, True]
    assert "none" in rows[1]
    assert "no labels" in rows[1]
    assert "none" in rows[2]


def test_keys(ktl, api, monkeypatch):
    made = json.loads(ktl("keys", "create", "mine", "--scope", "admin", "--json").out)
    monkeypatch.setenv("KTL_API_KEY", made["key"])
    assert [key["id"] for key in json.loads(ktl("keys", "list", "--json").out)] == [made["id"]]
    other = ktl("keys", "create", "other")
    assert other.out.startswith("ktl_")
    assert ktl("keys", "revoke", made["id"]).status == 0
    assert ktl("keys", "create", "third", "--scope", "everything").status == 2


def test_roles_refuse_a_schema_that_is_behind(ktl):
    for role in ("api", "worker"):
        refused = ktl(role)
        assert refused.status == 1
        assert "ktl migrate" in refused.err
    assert ktl("migrate").status == 0


def test_an_open_server_is_refused(ktl, monkeypatch):
    monkeypatch.setenv("KTL_HOST", "0.0.0.0")
    ktl("migrate")
    refused = ktl("api")
    assert refused.status == 1
    assert "ktl keys create" in refused.err
