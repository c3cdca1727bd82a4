"""Metrics and budgets that are another task's; a regression's are in tests/trials."""

import pytest

from app.errors import Invalid
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec
from tests.spec.test_spec import SCHEMA

JOB = {"sources": [{"dataset": "ds_1"}], "target": {"dataset": "ds_2"}}


def test_the_metric_that_is_not_said_is_the_tasks() -> None:
    resolved, _ = resolve(JobSpec.model_validate(JOB), [SourceFacts(SCHEMA)], SCHEMA)
    assert resolved.evaluation.primary_metric == "accuracy"
    assert resolved.task == "classification"
    assert resolved.metric.higher_is_better


def test_a_metric_of_another_task_is_refused_with_those_there_are() -> None:
    spec = JobSpec.model_validate({**JOB, "evaluation": {"primary_metric": "mae"}})
    with pytest.raises(Invalid) as caught:
        resolve(spec, [SourceFacts(SCHEMA)], SCHEMA)
    (finding,) = caught.value.findings
    assert (caught.value.code, finding.pointer) == (
        "unknown_metric",
        "#/evaluation/primary_metric",
    )
    assert (
        "accuracy, f1_macro, balanced_accuracy, auc, average_precision; got `mae`" in finding.detail
    )


def test_a_budget_in_items_is_no_budget_of_classes() -> None:
    spec = JobSpec.model_validate({**JOB, "target": {"dataset": "ds_2", "labels": 50}})
    with pytest.raises(Invalid) as caught:
        resolve(spec, [SourceFacts(SCHEMA)], SCHEMA)
    assert caught.value.code == "wrong_budget"
    assert "per class, `target.labels_per_class`, got `target.labels`" in caught.value.detail
