"""A shared pretraining counts once: by hand, and in a job's report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from app.spec.report import Report
from app.spec.spec import ResolvedSpec
from tests.evaluation.made_up import COUNTS, ITEMS, TASK, Y, arm, logits, spec, trial
from worker.evaluation.evidence import TrialResult
from worker.evaluation.replication import GIVEN, replicates_of
from worker.evaluation.report import build_report


@dataclass(frozen=True)
class Network:
    start: str | None
    logits: np.ndarray


def run(start: str | None, seed: int) -> Network:
    return Network(start, np.random.default_rng(seed).normal(size=(100, 3)))


@pytest.mark.parametrize(
    ("starts", "seeds", "members", "replication"),
    [
        ((None, None), (0, 1), ((0,), (1,)), "seeds"),
        (
            (None, None),
            (0, 0),
            ((0,), (1,)),
            "seeds",
        ),  # each trained by itself, as it happens alike
        (("p", "q"), (0, 1), ((0,), (1,)), "seeds"),
        (("p", "p"), (0, 1), ((0,), (1,)), "seeds_of_one_pretraining"),
        (("p", "p", "p"), (0, 1, 0), ((0, 2), (1,)), "seeds_of_one_pretraining"),
        (("p", "p"), (0, 0), ((0, 1),), "one_network"),
        ((GIVEN, GIVEN), (0, 0), ((0, 1),), "one_network"),
        ((GIVEN, GIVEN), (0, 1), ((0,), (1,)), "seeds"),
        (("p", "q", "p", "q", "p"), (0, 1, 2, 3, 4), ((0, 2, 4), (1, 3)), "pretrainings"),
        (("p", "q", "p", "q"), (0, 1, 0, 1), ((0, 2), (1, 3)), "pretrainings"),
        (("p",), (0,), ((0,),), "seeds"),
    ],
)
def test_what_counts_as_one_value(
    starts: Sequence[str | None],
    seeds: Sequence[int],
    members: tuple[tuple[int, ...], ...],
    replication: str,
) -> None:
    runs = [run(start, seed) for start, seed in zip(starts, seeds, strict=True)]
    found = replicates_of([(each,) for each in runs])
    assert (found.members, found.replication) == (members, replication)
    # A baseline that shares nothing leaves the pairs as the transfer's runs are.
    scratch = [run(None, 100 + number) for number in range(len(runs))]
    pairs = replicates_of(list(zip(runs, scratch, strict=True)))
    if replication != "one_network" and starts[0] != starts[-1]:
        assert pairs.members == members


def test_a_network_is_known_again_on_other_hardware_but_not_its_neighbour() -> None:
    one = run("p", 0)
    again = Network("p", one.logits + 1e-4)
    neighbour = Network("p", one.logits + np.where(np.arange(100) == 99, 0.1, 0)[:, None])
    found = replicates_of([(one,), (again,), (neighbour,)])
    assert found.members == ((0, 1), (2,))


def test_means_by_hand() -> None:
    found = replicates_of([(run(start, 0),) for start in ("p", "q", "p")])
    assert found.means([1.0, 5.0, 2.0]).tolist() == [1.5, 5.0]
    assert found.means(np.array([[1, 0], [5, 4], [2, 2]])).tolist() == [[1.5, 1], [5, 4]]


def unlabelled(**evaluation: Any) -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target", "use_labels": False},
            "model": {"backbone": "mlp"},
            "strategies": [{"name": "mcc"}, {"name": "adabn"}],
            "evaluation": evaluation,
        }
    )


def source_only(seeds: int, accuracy: float, **more: Any) -> list[TrialResult]:
    """Copies of one network."""
    return [
        trial(
            "source_only",
            seed,
            0,
            role="baseline",
            logits_test=logits(Y, accuracy, 0),
            epochs=0,
            **more,
        )
        for seed in range(seeds)
    ]


def adapted(name: str, accuracies: Sequence[float], start: str = "p") -> list[TrialResult]:
    trials = arm(name, accuracies, depends_on=start, epochs=5)
    return [
        TrialResult(**{**vars(each), "logits_changed": each.logits_validation}) for each in trials
    ]


def report_of(job: ResolvedSpec, trials: list[TrialResult]) -> Report:
    return build_report(job, trials, TASK, COUNTS)


@pytest.mark.parametrize("start", [{"depends_on": "p"}, {}])  # a pretraining, or a given model
def test_a_baseline_that_trains_nothing_is_one_value_without_interval(
    start: dict[str, str],
) -> None:
    trials = source_only(5, 0.4855, **start) + adapted("mcc", [0.8, 0.82, 0.8, 0.81, 0.83])
    report = report_of(unlabelled(seeds=5), trials)
    assert report.arms["source_only"].replication == "one_network"
    for found in report.arms["source_only"].metrics.values():
        assert (found.low, found.high, found.n) == (None, None, 1)
    gain = report.arms["mcc"].gain
    assert gain is not None
    assert gain.n == 5
    assert gain.p_value is not None
    assert gain.p_value > 1e-7  # what 5 values can show, not 5 x 400
    assert gain.p_value < 0.001
    assert report.verdict == "positive_transfer"


def test_an_arm_that_leaves_every_seed_with_the_same_network_proves_nothing() -> None:
    same = [
        trial("adabn", seed, 0, logits_test=logits(Y, 0.9, 1), depends_on="p", epochs=1)
        for seed in range(5)
    ]
    report = report_of(unlabelled(seeds=5), source_only(5, 0.4, depends_on="p") + same)
    gain = report.arms["adabn"].gain
    assert gain is not None
    assert (gain.n, gain.low, gain.overall, gain.p_value) == (1, None, None, None)
    assert gain.replication == "one_network"
    assert gain.bootstrap.low > 0.4  # for other items it is known
    assert report.verdict == "no_evidence"


def test_seeds_that_share_one_pretraining_speak_of_it_alone() -> None:
    trials = arm("scratch", [0.70, 0.71, 0.69]) + adapted("fine_tune", [0.80, 0.82, 0.81])
    report = report_of(spec(seeds=3, pretrain_seeds=1), trials)
    gain = report.arms["fine_tune"].gain
    assert gain is not None
    assert (gain.n, gain.replication) == (3, "seeds_of_one_pretraining")
    assert "over 3 seeds of one pretraining and 400 test items" in report.reason
    assert any("hold for that one" in warning for warning in report.warnings)
    assert report.arms["scratch"].replication == "seeds"


def test_seeds_that_share_several_pretrainings_count_by_them() -> None:
    scratch = arm("scratch", [0.70, 0.70, 0.72, 0.70])
    accuracies = [0.80, 0.76, 0.82, 0.78]
    fine_tune = [
        trial("fine_tune", seed, accuracy, depends_on="pq"[seed % 2])
        for seed, accuracy in enumerate(accuracies)
    ]
    report = report_of(spec(seeds=4, pretrain_seeds=2), scratch + fine_tune)
    found = report.arms["fine_tune"].metrics["accuracy"]
    # p: 0.81, q: 0.77; s = 0.0283, t of one degree 12.7062, and half an item in 2 x 400.
    assert (found.mean, found.n) == (pytest.approx(0.79), 2)
    margin = 12.7062 * np.sqrt(0.02**2 + 0.5 / 800**2)
    assert found.low == pytest.approx(0.79 - margin, abs=1e-5)
    gain = report.arms["fine_tune"].gain
    assert gain is not None
    # p: (0.10 + 0.10) / 2, q: (0.06 + 0.08) / 2; the mean is that of 4 seeds, of 2 values.
    assert (gain.mean, gain.n, gain.replication) == (pytest.approx(0.085), 2, "pretrainings")
    assert gain.low == pytest.approx(0.085 - 12.7062 * 0.015, abs=1e-5)
    assert gain.overall is not None
    assert gain.overall.low <= gain.low + 1e-12
    assert "over 2 pretrainings and 400 test items" in report.reason
    assert report.arms["scratch"].metrics["accuracy"].n == 4
    assert report.winner_seed == 0  # of all seeds the first that is best on validation


def test_a_search_between_a_trial_and_its_pretraining_is_seen_through() -> None:
    searches = [
        TrialResult("mcc", "search", 0, None, 1.0, id=f"s{name}", depends_on=name) for name in "pq"
    ]
    trials = [
        trial("fine_tune", seed, 0.8 + seed / 100, depends_on=f"s{'pq'[seed % 2]}")
        for seed in range(4)
    ]
    scratch = [trial("scratch", seed, 0.7, depends_on="sn") for seed in range(4)]
    of_scratch = TrialResult("scratch", "search", 0, None, 1.0, id="sn")
    report = report_of(spec(seeds=4, pretrain_seeds=2), [*searches, of_scratch, *scratch, *trials])
    assert report.arms["fine_tune"].replication == "pretrainings"
    assert report.arms["scratch"].replication == "seeds"


def test_one_source_network_is_remembered_once() -> None:
    y, before = np.arange(10) % 2, np.zeros(10, int)
    trials = [
        trial(
            "fine_tune",
            seed,
            0.8,
            depends_on="p",
            y_source=y,
            before_source=before,
            after_source=np.where(np.arange(10) < 2 * seed, 1 - y, y),
        )
        for seed in range(3)
    ]
    job = spec(seeds=3, pretrain_seeds=1)
    forgotten = report_of(job, arm("scratch", [0.7] * 3) + trials).arms["fine_tune"].forgetting
    assert forgotten is not None
    assert (forgotten.before.mean, forgotten.before.n, forgotten.before.low) == (0.5, 1, None)
    assert (forgotten.after.mean, forgotten.after.n) == (pytest.approx(0.8), 3)
    assert (forgotten.change.mean, forgotten.change.n) == (pytest.approx(0.3), 3)


@pytest.mark.parametrize("accuracies", [[0.4855, 1.0], [1.0, 1.0], [0.0, 0.0]])
def test_no_interval_of_a_rate_leaves_its_range(accuracies: list[float]) -> None:
    trials = arm("scratch", accuracies[::-1]) + arm("fine_tune", accuracies)
    report = report_of(spec(seeds=2), trials)
    assert report.test_items == ITEMS
    for found in report.arms.values():
        for name, metric in found.metrics.items():
            assert metric.low is not None
            assert metric.high is not None
            assert 0 <= metric.low <= metric.mean <= metric.high
            assert metric.high <= 1 or name == "loss"
    gain = report.arms["fine_tune"].gain
    assert gain is not None
    assert gain.overall is not None
    assert -1 <= gain.overall.low <= gain.overall.high <= 1
