"""A choice without labels, worked out by hand; and what labels would have said, apart from it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from app.spec.spec import ResolvedSpec
from tests.evaluation.made_up import MEASURES, Y, arm, failed, logits, trial
from worker.evaluation.evidence import TrialResult, gather
from worker.evaluation.label_free import RULE, choose, information, scores_of

SURE = 100 * np.eye(4, dtype=np.float32)  # of one class each


def spec(*names: str, seeds: int = 2) -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target", "use_labels": False},
            "model": {"backbone": "mlp"},
            "strategies": [{"name": name} for name in names],
            "evaluation": {"seeds": seeds},
        }
    )


@pytest.mark.parametrize(
    ("given", "moved", "expected"),
    [
        (np.zeros((7, 4)), np.zeros((7, 4)), 0),  # it knows nothing of any item
        (SURE[[0, 0, 0]], SURE[[0, 0, 0]], 0),  # it calls everything the same
        (SURE, SURE, np.log(4)),  # sure of each, and all classes alike
        (SURE, SURE[[1, 0, 3, 2]], np.log(4)),  # moved, another class, but always the same
        (SURE[[0, 1]], SURE[[0, 1]], np.log(2)),
        (SURE[[0, 0, 1, 1]], SURE[[0, 1, 0, 1]], 0),  # sure, but moved by chance
        (SURE[[0, 0, 0, 1]], SURE[[0, 0, 0, 1]], np.log(4) - 0.75 * np.log(3)),
        # (3/4, 1/4) and (1/4, 3/4): P is (5/16, 3/16), (3/16, 5/16).
        (
            np.log([[3, 1], [1, 3]]),
            np.log([[3, 1], [1, 3]]),
            0.625 * np.log(1.25) + 0.375 * np.log(0.75),
        ),
    ],
)
def test_information_by_hand(given: np.ndarray, moved: np.ndarray, expected: float) -> None:
    found = information(given.astype(np.float32), moved.astype(np.float32))
    assert found == pytest.approx(expected, abs=1e-6)
    shifted = information((given + 1000).astype(np.float32), moved.astype(np.float32))
    assert shifted == pytest.approx(expected, abs=1e-4)


def test_information_by_the_paper_s_equation() -> None:
    rng = np.random.default_rng(0)
    logits, moved = rng.normal(size=(2, 20, 4)).astype(np.float32)
    p, q = (np.exp(z) / np.exp(z).sum(1, keepdims=True) for z in (logits, moved))
    joint = sum(np.outer(a, b) + np.outer(b, a) for a, b in zip(p, q, strict=True)) / 40
    expected = sum(
        joint[k, j] * np.log(joint[k, j] / (joint[k].sum() * joint[:, j].sum()))
        for k in range(4)
        for j in range(4)
    )
    assert information(logits, moved) == pytest.approx(expected, rel=1e-3)


def informative(classes: Sequence[int], **more: Any) -> dict[str, Any]:
    sure = SURE[list(classes)]
    return {"logits_validation": sure, "logits_changed": sure, "y_validation": None, **more}


def test_only_transfers_that_predicted_validation_items_have_scores() -> None:
    trials = [
        trial("mcc", 1, 0.5, **informative([0, 1])),
        trial("mcc", 0, 0.5, **informative([0, 1, 2, 3])),
        trial("shot", 0, 0.5, **informative([])),
        trial("shot", 1, 0.5, logits_changed=None),
        trial("source_only", 0, 0.5, role="baseline", **informative([0, 1])),
        trial("target_supervised", 0, 0.5, role="bound", **informative([0, 1])),
        failed("dann", 0),
    ]
    scores = scores_of(spec("mcc", "shot", "dann"), trials)
    assert list(scores) == ["mcc"]
    assert [each.seed for each in scores["mcc"]] == [0, 1]
    assert [each.value for each in scores["mcc"]] == pytest.approx([np.log(4), np.log(2)])


def chosen(job: ResolvedSpec, trials: list[TrialResult]) -> Any:
    return choose(scores_of(job, trials), gather(trials, list(job.arms), None, MEASURES), job)


def test_the_rule_chooses_and_the_oracle_stands_beside_it() -> None:
    job = spec("mcc", "shot")
    mcc = [
        trial("mcc", 0, 0.75, **informative([0, 1])),
        trial("mcc", 1, 0.75, **informative([0, 1, 2, 3])),
    ]
    shot = [trial("shot", seed, 0.9, **informative([0, 1])) for seed in (0, 1)]
    found = chosen(job, mcc + shot)
    assert (found.rule, found.chosen, found.chosen_seed) == (RULE, "mcc", 1)
    assert found.scores["mcc"].mean == pytest.approx(1.5 * np.log(2))
    assert found.scores["shot"].mean == pytest.approx(np.log(2))
    assert found.oracle == "shot"
    assert found.oracle_metric.mean == pytest.approx(0.9)
    assert found.regret == pytest.approx(0.15)


def test_labels_of_the_test_do_not_change_the_choice() -> None:
    job = spec("mcc", "shot")
    validation = {"mcc": informative([0, 1]), "shot": informative([0, 1, 2])}
    for good, bad in (("mcc", "shot"), ("shot", "mcc")):
        trials = arm(good, [0.9, 0.9], **validation[good])
        trials += arm(bad, [0.1, 0.1], **validation[bad])
        found = chosen(job, trials)
        assert (found.chosen, found.oracle) == ("shot", good)


def test_without_test_labels_there_is_no_oracle() -> None:
    unlabelled = informative([0, 1], y_test=None, logits_test=logits(Y, 0.5, 0))
    found = chosen(spec("mcc"), arm("mcc", [0.5, 0.5], **unlabelled))
    assert found.chosen == "mcc"
    assert (found.oracle, found.oracle_metric, found.regret) == (None, None, None)


def test_an_arm_that_lost_a_seed_is_not_chosen() -> None:
    trials = arm("mcc", [0.5, 0.5], **informative([0, 1]))
    trials += [trial("shot", 0, 0.9, **informative([0, 1, 2, 3])), failed("shot", 1)]
    found = chosen(spec("mcc", "shot"), trials)
    assert found.chosen == found.oracle == "mcc"
    assert list(found.scores) == ["mcc"]


def test_nothing_is_chosen_where_nothing_ended_well() -> None:
    assert chosen(spec("mcc"), [failed("mcc", 0), failed("mcc", 1)]) is None
