"""`ktl jobs next-labels`, against a server that answers as the API does."""

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ktl

BEGUN: dict[str, Any] = {
    "job": "job_1",
    "dataset": "ds_1",
    "status": "queued",
    "items": 2,
    "created_at": "2026-11-26T12:00:00Z",
    "ended_at": None,
}
FOUND = {
    **BEGUN,
    "status": "succeeded",
    "candidates": 40,
    "considered": 40,
    "sentence": "The order was worth +0.0300.",
    "data": [
        {
            "split": "train",
            "index": 3,
            "identifier": "P-17",
            "score": 0.5,
            "guess": {"label": "ill", "probability": 0.51},
        },
        {"split": "test", "index": 0, "score": 0.25, "guess": {"labels": ["a", "b"]}},
        {"split": "train", "index": 7, "score": 0.125, "guess": {"value": 12.5}},
    ],
}


@pytest.fixture
def site(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("KTL_URL", scripted.url)
    return scripted


def test_it_waits_and_shows_the_items(ktl: Ktl, site: Any) -> None:
    for status, answer in ((202, BEGUN), (200, BEGUN), (200, FOUND)):
        site.answer(status, answer)
    ended = ktl("jobs", "next-labels", "job_1", "--items", 2, "--from", "ds_1")
    assert ended.status == 0
    assert "P-17" in ended.out
    assert "3 of 40 items without a label" in ended.out
    assert "The order was worth +0.0300." in ended.out
    assert [(method, path) for method, path, _, _ in site.requests] == [
        ("POST", "/v1/jobs/job_1/next_labels"),
        *[("GET", "/v1/jobs/job_1/next_labels")] * 2,
    ]


def test_it_writes_them_as_csv(ktl: Ktl, site: Any, tmp_path: Path) -> None:
    for status, answer in ((202, BEGUN), (200, FOUND)):
        site.answer(status, answer)
    path = tmp_path / "next.csv"
    assert ktl("jobs", "next-labels", "job_1", "--out", path).status == 0
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["index"] for row in rows] == ["3", "0", "7"]
    assert [row["guess"] for row in rows] == ["ill", "a; b", "12.5"]
    assert (rows[0]["identifier"], rows[1]["identifier"]) == ("P-17", "")


def test_one_that_failed_says_why(ktl: Ktl, site: Any) -> None:
    error = {"code": "worker_lost", "message": "the worker was lost 3 times in a row"}
    for status, answer in ((202, BEGUN), (200, {**BEGUN, "status": "failed", "error": error})):
        site.answer(status, answer)
    ended = ktl("jobs", "next-labels", "job_1")
    assert (ended.status, ended.out.strip()) == (1, f"worker_lost: {error['message']}")
