"""Test items that belong together: intervals are for other groups of them."""

from typing import Any

import numpy as np
import pytest

from app.spec.report import Report
from tests.evaluation.made_up import COUNTS, ITEMS, MEASURES, TASK, Y, spec, trial
from worker.evaluation.clusters import by_group
from worker.evaluation.crossed import crossed_interval
from worker.evaluation.evidence import gather
from worker.evaluation.report import build_report
from worker.evaluation.slice_groups import restricted
from worker.evaluation.slices import difference

SEEDS = 5


def report(groups: np.ndarray | None, better: np.ndarray, **how: Any) -> Report:
    """Scratch is right on items 0, 2, 4, …, fine_tune on those too that are `better`."""
    trials = []
    for seed in range(SEEDS):
        right = np.arange(ITEMS) % 2 == 0
        right[seed] = False  # seeds differ a little
        for arm, of_arm in (("scratch", right), ("fine_tune", right | better)):
            logits = 2 * np.eye(4, dtype=np.float32)[(Y + ~of_arm) % 4]
            trials.append(trial(arm, seed, 0.5, logits_test=logits, groups_test=groups))
    return build_report(spec(seeds=SEEDS, **how), trials, TASK, COUNTS)


def test_groups_take_the_items_place_by_hand() -> None:
    differences = np.array([[1.0, 0.0, 0.0, 0.0, -1.0], [1.0, 1.0, 1.0, 0.0, 0.0]])
    groups = np.array([7, 7, 3, 3, 3])  # the sums of deviations of 3, then of 7
    expected = [[0.4 * -1, 0.4 * 1], [0.6 + 0.4 * (1 - 1.8), 0.6 + 0.4 * (2 - 1.2)]]
    found = by_group(differences, groups)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(found.mean(axis=1), differences.mean(axis=1))


def test_groups_of_one_are_items() -> None:
    differences = np.random.default_rng(0).normal(size=(3, 20))
    order = np.random.default_rng(1).permutation(20)
    found = by_group(differences, order)
    np.testing.assert_allclose(found[:, order], differences)


def test_what_one_group_gives_is_one_thing() -> None:
    """Forty items more that are right, all of one patient, are no evidence of other patients."""
    groups, better = np.arange(ITEMS) // 80, np.arange(ITEMS) // 80 == 3
    alone = report(None, better)
    together = report(groups, better)
    assert alone.verdict == "positive_transfer"
    assert together.verdict == "no_evidence"
    one, other = alone.arms["fine_tune"].gain, together.arms["fine_tune"].gain
    assert one
    assert one.overall
    assert other
    assert other.overall
    assert one.mean == other.mean
    assert other.overall.low < 0 < one.overall.low
    assert other.bootstrap.low < one.bootstrap.low
    (said,) = (each for each in together.warnings if "groups" in each)
    assert said.startswith(f"the {ITEMS} test items are of 5 groups")
    assert "with fewer than 20 they are rough" in said
    assert not any("group" in each for each in alone.warnings)


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "auc", "f1_macro"])
def test_what_all_groups_give_is_evidence_by_any_metric(metric: str) -> None:
    better = np.arange(ITEMS) % 3 == 0
    found = report(np.arange(ITEMS) // 10, better, primary_metric=metric)
    assert found.verdict == "positive_transfer"


def test_intervals_are_never_shorter_than_those_of_items() -> None:
    """Groups in which what is won and lost cancels out would have none."""
    better = np.arange(ITEMS) % 3 == 0
    groups = np.arange(ITEMS) % (ITEMS // 12)
    one, other = (report(each, better).arms["fine_tune"].gain for each in (None, groups))
    assert one
    assert one.overall
    assert other
    assert other.overall
    assert other.overall.high - other.overall.low >= one.overall.high - one.overall.low - 1e-12


def test_of_one_group_nothing_is_known_of_others() -> None:
    better = np.arange(ITEMS) % 3 == 0
    found, alone = report(np.zeros(ITEMS, np.int64), better), report(None, better)
    assert found.arms["fine_tune"].gain == alone.arms["fine_tune"].gain
    assert any(
        each.startswith(f"all {ITEMS} test items are of one group") for each in found.warnings
    )


def wrong_verdicts(is_grouped: bool, jobs: int = 200) -> float:
    """The share of jobs without a gain whose interval leaves 0 out; 40 patients of 10 visits."""
    random, groups, wrong = np.random.default_rng(3), np.repeat(np.arange(40), 10), 0
    for _ in range(jobs):
        latent = random.normal(size=(2, SEEDS, 400))
        latent += 2 * random.normal(size=(2, 1, 40))[..., groups]
        apart = (latent[0] > 0).astype(float) - (latent[1] > 0)
        found = crossed_interval(by_group(apart, groups) if is_grouped else apart, 0.95)
        wrong += not found.low <= 0 <= found.high
    return wrong / jobs


def test_patients_without_a_gain_are_called_one_as_seldom_as_promised() -> None:
    assert wrong_verdicts(is_grouped=False) > 0.3
    assert wrong_verdicts(is_grouped=True) < 0.09


def test_a_slice_of_few_patients_is_not_clearly_worse() -> None:
    """Forty visits, half of them wrong; of two patients, or of forty."""
    of_slice, right = np.arange(ITEMS) < 40, np.ones(ITEMS, bool)
    right[:20] = False
    right[40::10] = False
    logits = 2 * np.eye(4, dtype=np.float32)[(Y + ~right) % 4]
    metric = TASK.metrics["accuracy"]

    def apart(groups: np.ndarray | None) -> tuple[float, float]:
        own = [
            trial("scratch", seed, 0.5, logits_test=logits, groups_test=groups) for seed in range(3)
        ]
        whole = gather(own, ("scratch",), None, MEASURES)["scratch"]
        parts = (restricted(whole, rows) for rows in (of_slice, ~of_slice))
        return difference(*parts, "accuracy", metric, 0.95)

    one, other = apart(None), apart(np.arange(ITEMS) // 20)
    assert one[1] < 0 < other[1]
    assert apart(np.arange(ITEMS)) == pytest.approx(one)
    assert apart(np.where(of_slice, -1, np.arange(ITEMS))) == pytest.approx(one)
