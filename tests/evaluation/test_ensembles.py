"""What averaging an arm's seeds brings, on predictions that are made up."""

from typing import Any

import numpy as np
import pytest

from app.spec.ensemble_report import DistilledReport
from app.spec.report import Report
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from tests.evaluation.made_up import COUNTS, SCRATCH, TASK, Y, logits, spec, trial
from worker.evaluation.ensembles import Student, distilled_report
from worker.evaluation.evidence import TrialResult
from worker.evaluation.measures import measures_of
from worker.evaluation.report import build_report

DEPLOY = {"name": "letters", "when": "always", "ensemble": "average"}


def test_outputs_whose_softmax_is_the_mean() -> None:
    """(.8, .2) and (.4, .6) are (.6, .4) on the mean."""
    measures = measures_of(Classification(classes=("no", "yes")))
    members = [np.log([[0.8, 0.2]]) + 3, np.log([[0.4, 0.6]]) - 2]
    np.testing.assert_allclose(np.exp(measures.averaged(members)), [[0.6, 0.4]])


def test_outputs_whose_sigmoid_is_the_mean() -> None:
    """.9 and .3 are .6 on the mean: ln (.6 / .4); a mean of logits would be ln 9 / 2 - ..."""
    measures = measures_of(MultiLabel(labels=("a", "b")))
    members = [np.log([[9.0, 1.0]]), np.log([[3 / 7, 1.0]])]
    np.testing.assert_allclose(measures.averaged(members), [[np.log(1.5), 0.0]], atol=1e-12)
    extreme = [np.full((1, 2), 800.0), np.full((1, 2), -800.0)]
    np.testing.assert_allclose(measures.averaged(extreme), [[0.0, 0.0]], atol=1e-9)


def test_the_mean_of_quantities() -> None:
    measures = measures_of(Regression(mean=10.0, std=2.0))
    np.testing.assert_allclose(measures.averaged([np.array([[1.0]]), np.array([[2.0]])]), [[1.5]])


def report(trials: list[TrialResult], deploy: dict[str, Any] | None = None) -> Report:
    wanted = spec(seeds=3)
    wanted = type(wanted).model_validate(
        {**wanted.model_dump(), "deploy": {**DEPLOY, **(deploy or {})}}
    )
    return build_report(wanted, trials, TASK, COUNTS)


def members(test: float = 0.7, seeds: int = 3) -> list[TrialResult]:
    return [trial("fine_tune", seed, test, 0.5 + 0.1 * (seed == 1)) for seed in range(seeds)]


def test_its_gain_over_the_mean_and_over_the_seed_that_would_be_served() -> None:
    """Each seed is wrong on three tenths of the items, by chance: two of three are right more
    often than each."""
    trials = members()
    found = report([*SCRATCH[:3], *trials]).ensemble
    assert found is not None
    right = np.stack([logits(Y, 0.7, seed).argmax(axis=1) == Y for seed in range(3)])
    voted = np.stack([logits(Y, 0.7, seed) for seed in range(3)])
    mean = (np.exp(voted) / np.exp(voted).sum(axis=2, keepdims=True)).mean(axis=0)
    accuracy = float((mean.argmax(axis=1) == Y).mean())
    assert accuracy > 0.72
    assert found.metrics["accuracy"] == pytest.approx(accuracy)
    assert (found.arm, found.seeds, found.single_seed) == ("fine_tune", [0, 1, 2], 1)
    assert found.over_mean
    assert found.over_mean.mean == pytest.approx(accuracy - right.mean())
    assert found.over_single
    assert found.over_single.mean == pytest.approx(accuracy - right[1].mean())
    for gain in (found.over_mean, found.over_single):
        assert gain.low < gain.mean < gain.high
    assert "3 seeds of fine_tune" in found.sentence
    assert "by accuracy it is better by 0." in found.sentence
    assert "seed 1, which would be served alone (95 % intervals" in found.sentence
    assert found.cost is None


def test_nothing_is_said_where_it_is_not_asked_for() -> None:
    trials = [*SCRATCH[:3], *members()]
    assert report(trials, {"ensemble": "none"}).ensemble is None
    assert build_report(spec(seeds=3), trials, TASK, COUNTS).ensemble is None


def test_where_the_transfer_did_harm_the_baseline_is_averaged() -> None:
    found = report([*SCRATCH[:3], *members(0.5)])
    assert found.verdict == "negative_transfer"
    assert found.ensemble
    assert found.ensemble.arm == "scratch"


def test_one_seed_that_has_results_is_served_alone() -> None:
    found = report([*SCRATCH[:3], *members(seeds=1)])
    assert found.ensemble is None
    assert "no ensemble: fewer than two seeds of fine_tune have results" in found.warnings


def test_copies_of_one_network_are_served_as_one() -> None:
    copies = [
        trial("fine_tune", seed, 0.7, logits_test=logits(Y, 0.7, 0), depends_on="pre")
        for seed in range(3)
    ]
    found = report([*SCRATCH[:3], *copies])
    assert found.ensemble is None
    assert "no ensemble: all seeds of fine_tune are one network" in found.warnings


def test_a_model_without_a_network_is_served_alone() -> None:
    name = "forest_on_target"
    beside = [trial(name, seed, 0.95, 0.95, role="reference") for seed in range(3)]
    wanted = spec(seeds=3, references=[{"model": "forest", "rows": "target"}])
    wanted = type(wanted).model_validate(
        {**wanted.model_dump(), "deploy": {**DEPLOY, "when": "best"}}
    )
    found = build_report(wanted, [*SCRATCH[:3], *members(), *beside], TASK, COUNTS)
    assert found.best_of_all == name
    assert found.ensemble is None
    assert any(f"no ensemble: {name}, which is served, is a model" in w for w in found.warnings)


def test_where_the_test_items_have_no_labels_what_it_brings_is_not_known() -> None:
    hidden = [
        TrialResult(**{**vars(each), "y_test": None, "y_validation": None}) for each in members()
    ]
    wanted = spec(seeds=3)
    wanted = type(wanted).model_validate(
        {
            **wanted.model_dump(),
            "deploy": DEPLOY,
            "target": {"dataset": "ds_target", "use_labels": False},
            "strategies": [{"name": "mcc"}],
        }
    )
    trials = [
        TrialResult(**{**vars(each), "arm": "mcc", "logits_changed": each.logits_validation})
        for each in hidden
    ]
    found = build_report(wanted, trials, TASK, COUNTS).ensemble
    assert found is not None
    assert (found.metrics, found.over_mean, found.over_single) == ({}, None, None)
    assert "not known: the test items have no labels" in found.sentence


def test_a_network_that_learns_the_mean_stands_beside_one_seed_and_the_mean() -> None:
    """What answers as the mean does is no better than it; what is always right is."""
    trials = members()
    wanted = spec(seeds=3)
    wanted = type(wanted).model_validate(
        {**wanted.model_dump(), "deploy": {**DEPLOY, "ensemble": "distill"}}
    )
    found = build_report(wanted, [*SCRATCH[:3], *trials], TASK, COUNTS).ensemble
    assert found is not None
    assert found.kind == "distill"
    assert found.distilled is None  # which is known where it is packaged
    assert "is what one network learns, which is packaged" in found.sentence
    measures, outputs = measures_of(TASK), [logits(Y, 0.7, seed) for seed in range(3)]

    def report_of(answered: np.ndarray, y: np.ndarray | None = Y) -> DistilledReport:
        student = Student(answered, 40, 2.0)
        return distilled_report(found, student, y, outputs, wanted, measures)

    same = report_of(measures.averaged(outputs))
    assert same.metrics == pytest.approx(found.metrics)
    assert (same.over_mean, same.over_single) == (found.over_mean, found.over_single)
    assert same.over_average is not None
    assert (same.over_average.mean, same.over_average.low, same.over_average.high) == (0, 0, 0)
    assert "learnt that mean on 40 training items without labels" in same.sentence
    best = report_of(10 * np.eye(outputs[0].shape[1])[Y])
    assert best.over_average is not None
    assert best.over_average.mean == pytest.approx(1 - found.metrics["accuracy"])
    assert best.over_average.low > 0
    hidden = report_of(outputs[0], None)
    assert (hidden.metrics, hidden.over_average) == ({}, None)
    assert "not known: the test items have no labels" in hidden.sentence
