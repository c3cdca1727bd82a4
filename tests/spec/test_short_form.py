"""Jobs that are written shorter than they are: one finding, which says what to send instead."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.spec.spec import JobSpec

TARGET: dict[str, Any] = {"dataset": "letters"}
SENT = '"sources": [{"dataset": "digits"}], "target": {"dataset": "letters"}'


def refusal(**body: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        JobSpec.model_validate(body)
    (error,) = caught.value.errors()
    assert (error["type"], error["loc"]) == ("value_error", ())
    return error["msg"]


@pytest.mark.parametrize(
    "body",
    [
        {"source": "digits", "target": "letters"},
        {"source": {"dataset": "digits"}, "target": TARGET},
        {"sources": "digits", "target": "letters"},
        {"sources": ["digits"], "target": TARGET},
        {"sources": [{"dataset": "digits"}], "target": "letters"},
    ],
)
def test_what_to_send_instead_has_the_names_that_were_sent(body: dict[str, Any]) -> None:
    assert refusal(**body).endswith(f"send {SENT}")


def test_models_and_what_is_missing() -> None:
    said = refusal(sources=["mdl_1", {"dataset": "digits"}])
    assert '"sources": [{"model": "mdl_1"}, {"dataset": "digits"}]' in said
    assert '"target": {"dataset": "TARGET"}' in said


def test_large_values_are_not_sent_back() -> None:
    assert len(refusal(source="d" * 10**5, target=TARGET)) < 300
    assert len(refusal(sources=["d" * 60] * 16, target=TARGET)) < 300


@pytest.mark.parametrize(
    "body",
    [
        {"targets": [TARGET, TARGET]},
        {"target": [TARGET, TARGET]},
        {"target": {"dataset": ["letters", "digits"]}},
    ],
)
def test_several_targets_are_several_jobs(body: dict[str, Any]) -> None:
    assert "one job for each" in refusal(sources=[{"dataset": "digits"}], **body)


def test_what_is_no_job_at_all_is_left_to_the_fields() -> None:
    for body in ({}, {"sources": [], "target": TARGET}, {"sources": [7], "target": 7}):
        with pytest.raises(ValidationError) as caught:
            JobSpec.model_validate(body)
        assert all(error["type"] != "value_error" for error in caught.value.errors())
