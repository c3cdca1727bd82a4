"""What is not known here is answered with what probably was meant, and never with what was sent."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.errors import Invalid
from app.findings import invalid_from
from app.spec.spec import JobSpec

GOOD: dict[str, Any] = {"sources": [{"dataset": "a"}], "target": {"dataset": "b"}}


def refused(body: dict[str, Any]) -> Invalid:
    with pytest.raises(ValidationError) as caught:
        JobSpec.model_validate(body)
    return invalid_from(caught.value, body)


@pytest.mark.parametrize(
    ("changes", "meant"),
    [
        ({"strategies": ["finetune"]}, "'fine_tune'"),
        ({"strategies": [{"name": "Fine-Tune"}]}, "'fine_tune'"),
        ({"model": {"backbone": "convent"}}, "'convnet'"),
        ({"training": {"optimizer": "ADAM"}}, "'adam'"),
        ({"training": {"epoch": 3}}, "`epochs`"),
        ({"evaluation": {"seed": 3}}, "`seeds`"),
        ({"target": {"dataset": "b", "labels_per_clas": 3}}, "`labels_per_class`"),
    ],
)
def test_near_misses(changes: dict[str, Any], meant: str) -> None:
    assert f"did you mean {meant}?" in refused({**GOOD, **changes}).detail


def test_a_field_that_is_missing_under_its_name() -> None:
    found = refused({"sorces": [{"dataset": "a"}], "targets": {"dataset": "b"}}).findings
    said = {finding.pointer: finding.detail for finding in found}
    assert said["#/sorces"].endswith("did you mean `sources`?")
    assert said["#/targets"].endswith("did you mean `target`?")


@pytest.mark.parametrize(
    "changes",
    [
        {"strategies": ["something_else"]},
        {"model": {"backbone": "x" * 10_000}},
        {"qqqq": 1},
        {"training": {"optimizer": 3}},
    ],
)
def test_what_is_far_from_all_is_not_guessed(changes: dict[str, Any]) -> None:
    assert "did you mean" not in refused({**GOOD, **changes}).detail


def test_what_was_sent_is_repeated_beside_what_was_meant() -> None:
    said = refused({**GOOD, "strategies": ["finetunes"]}).detail
    assert said.endswith("got 'finetunes'; did you mean 'fine_tune'?")


def test_an_object_that_is_expected_is_described() -> None:
    assert "an object with `dataset`, got" in refused({**GOOD, "target": 3}).detail
    assert "an object of `dataset`, `model`" in refused({**GOOD, "sources": [3]}).detail
