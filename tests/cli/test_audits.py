"""`ktl datasets audit`, against a server that answers as the API does."""

from typing import Any

import pytest

from tests.cli.conftest import Ktl

BEGUN: dict[str, Any] = {
    "dataset": "ds_1",
    "status": "queued",
    "created_at": "2026-11-26T12:00:00Z",
    "ended_at": None,
    "offset": 0,
}
FOUND = {
    **BEGUN,
    "status": "succeeded",
    "items": 120,
    "suspects": 4,
    "classes": [
        {"label": "up", "items": 60, "suspects": 2, "is_judged": True},
        {"label": "odd", "items": 1, "suspects": 0, "is_judged": False},
    ],
    "data": [{"split": "train", "index": 3, "label": "up", "proposed": "down", "score": 0.93}],
}


def test_it_waits_and_lists_the_suspects(
    ktl: Ktl, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KTL_URL", scripted.url)
    for status, answer in ((202, BEGUN), (200, BEGUN), (200, FOUND)):
        scripted.answer(status, answer)
    ended = ktl("datasets", "audit", "ds_1", "--most", 1)
    assert ended.status == 0
    assert "down" in ended.out
    assert "4 of 120 labels are suspected, the 1 likeliest shown" in ended.out
    assert "too few items: odd" in ended.out
    assert [(method, path) for method, path, _, _ in scripted.requests] == [
        ("POST", "/v1/datasets/ds_1/audit"),
        *[("GET", "/v1/datasets/ds_1/audit?limit=1")] * 2,
    ]


def test_one_that_failed_says_why(ktl: Ktl, scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KTL_URL", scripted.url)
    error = {"code": "artifact_missing", "message": "x_train is gone"}
    scripted.answer(200, {**BEGUN, "status": "failed", "error": error})
    ended = ktl("datasets", "audit", "ds_1")
    assert (ended.status, ended.out.strip()) == (1, "artifact_missing: x_train is gone")


def test_the_model_by_whose_features_pictures_are_compared(
    ktl: Ktl, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KTL_URL", scripted.url)
    for status, answer in ((202, BEGUN), (200, FOUND)):
        scripted.answer(status, answer)
    assert ktl("datasets", "audit", "ds_1", "--features", "mdl_1").status == 0
    _, _, _, body = scripted.requests[0]
    assert b"mdl_1" in bytes(body)
