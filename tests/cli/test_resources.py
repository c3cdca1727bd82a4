"""`ktl datasets`, `models`, `jobs` and `deployments` behave alike, and take names."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from app.client import Client
from app.database import Database
from app.jobs.schemas import JobStatus
from app.settings import Settings
from tests.cli.conftest import Ktl
from tests.client.running_api import RunningApi
from tests.jobs.factories import add_dataset
from tests.jobs.requests import LOCAL, spec

KINDS = ("datasets", "models", "jobs", "deployments")


@pytest.fixture
def house(api: RunningApi, settings: Settings) -> Iterator[Client]:
    """Two datasets and a job between them; the client of their service."""
    database = Database(settings.database)
    for name in ("digits", "my letters"):
        add_dataset(database, project=LOCAL, name=name)
    database.dispose()
    with Client(api.url) as client:
        client.jobs.submit(spec("digits", "my letters"))
        yield client


def test_all_kinds_list_show_and_delete(ktl: Ktl, api: RunningApi) -> None:
    for kind in KINDS:
        shown = ktl(kind, "--help").out
        assert all(f" {command} " in shown for command in ("list", "show", "delete")), kind
        assert (ktl(kind).out, ktl(kind).status) == (ktl(kind, "list").out, 0)
        assert json.loads(ktl(kind, "list", "--json").out) == []
        assert ktl(kind, "nobody").err == ktl(kind, "show", "nobody").err
        assert ktl(kind, "nobody").err.startswith("404 ")
        assert ktl(kind, "delete", "nobody").status == 1


def test_a_complaint_calls_the_command_as_it_was_typed(ktl: Ktl) -> None:
    for kind in KINDS:
        complaint = ktl(kind, "--stats", "x")
        assert complaint.status == 2
        assert f"ktl {kind} [" in complaint.err
        assert f"ktl {kind} -h" in complaint.err
        assert "look" not in complaint.err


def test_the_statuses_of_jobs_are_told(ktl: Ktl, api: RunningApi) -> None:
    shown = " ".join(ktl("jobs", "list", "--help").out.replace("│", " ").split())
    assert f"Only these: {', '.join(get_args(JobStatus))}." in shown
    assert ktl("jobs", "--status", "done").err.startswith("422 ")
    assert all(ktl("jobs", "--status", each).status == 0 for each in get_args(JobStatus))


def test_names_first_and_names_taken(ktl: Ktl, house: Client) -> None:
    assert ktl("datasets").out.split()[0] == "name"
    assert [line.split("  ")[0] for line in ktl("datasets").out.splitlines()[1:]] == [
        "my letters",
        "digits",
    ]
    assert ktl("datasets", "my letters").out == ktl("datasets", "show", "my letters").out
    assert ktl("jobs").out.splitlines()[1].startswith("digits to my letters")
    shown = ktl("jobs", "digits to my letters").out
    assert "my letters (ds_" in shown
    assert "digits (ds_" in shown
    assert "cancelled" in ktl("jobs", "cancel", "digits to my letters").out
    assert ktl("jobs", "delete", "digits to my letters").status == 0
    assert ktl("datasets", "delete", "my letters").status == 0
    assert len(ktl("datasets").out.splitlines()) == 2


def test_a_job_of_two_names_needs_no_file(ktl: Ktl, house: Client) -> None:
    named = ("--source", "digits", "--target", "my letters")
    assert ktl("validate", *named).status == 0
    job = house.jobs.get(ktl("submit", *named, "--set", "name=again").out.strip())
    assert (job.name, job.source_names, job.target_name) == ("again", ["digits"], "my letters")


def test_a_refusal_says_each_thing_once(ktl: Ktl, house: Client, tmp_path: Path) -> None:
    refused = ktl("submit", "--source", "nobody", "--target", "my letters")
    assert refused.status == 1
    (line,) = refused.err.splitlines()
    assert line.startswith("422 unknown_dataset: #/sources/0/dataset: expected the id or the name")
    wrong = tmp_path / "job.json"
    wrong.write_text(json.dumps({**spec("digits", "my letters"), "seed": -1, "kind": "sort"}))
    head, *findings = ktl("submit", wrong).err.splitlines()
    assert head.endswith(": 2 findings")
    assert [line.split(":")[0].strip() for line in findings] == ["#/kind", "#/seed"]


def test_a_name_of_two_is_refused_with_both(ktl: Ktl, house: Client, settings: Settings) -> None:
    database = Database(settings.database)
    twin = add_dataset(database, project=LOCAL, name="digits")
    database.dispose()
    refused = ktl("datasets", "delete", "digits")
    assert refused.status == 1
    head, newest, oldest = refused.err.splitlines()
    assert head.startswith(
        "409 ambiguous_name: expected one of the datasets of this name by its id"
    )
    assert newest == f"  {twin} is called so"
    assert oldest.startswith("  ds_")


def test_a_shell_completes_names(ktl: Ktl, house: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_KTL_COMPLETE", "complete_bash")

    def completed(line: str) -> list[str]:
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
        return [each for each in ktl().out.split("\n") if each]

    assert completed("ktl deploy") == ["deployments"]
    assert completed("ktl datasets show d") == ["digits"]
    assert completed("ktl submit --source my") == [r"my\ letters"]
    monkeypatch.setenv("KTL_URL", "http://127.0.0.1:9")
    assert completed("ktl datasets show d") == []
