"""Candidate sources in their order, how good it was, and what the transfer made them forget."""

from typing import Any

import numpy as np
import pytest

from app.spec.outcomes import ScoreOutcome, outcome_of
from app.spec.source_report import Search, Transferability
from app.spec.spec import ResolvedSpec
from tests.evaluation.made_up import MEASURES, arm, spec, trial
from worker.evaluation.arms import cost_of, describe
from worker.evaluation.evidence import TrialResult, gather
from worker.evaluation.sources import searches_of, transferability_of

TRIED: dict[str, Any] = {
    "strategy": "lp_ft",
    "params": {},
    "learning_rate": 0.1,
    "weight_decay": None,
    "epochs": None,
    "augmentation": None,
    "rung": 0,
    "share": 1.0,
    "folds": 3,
    "score": 1.0,
    "loss": 0.1,
    "seconds": 2.0,
    "dropped": None,
    "imbalance": None,
}
SEARCHED: dict[str, Any] = {
    "chosen": {"learning_rate": 0.1},
    "reason": "best",
    "tried": [TRIED],
    "trainings": 1.0,
    "seconds": 2.0,
}
APART = {"proxy_a_distance": 1.5, "mmd": 0.2}


def ranking_of(sources: int) -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "kind": "rank",
            "measure": True,
            "sources": [{"dataset": f"ds_{number}"} for number in range(1, sources)]
            + [{"model": f"mdl_{sources}"}],
            "combine": "each",
            "target": {"dataset": "ds_target"},
            "model": {"backbone": "mlp"},
            "strategies": [{"name": "lp_ft"}, {"name": "fine_tune"}],
            "evaluation": {"seeds": 2},
        }
    )


def scored(
    number: int, leep: float | None, logme: float | None = None, distance: float = 1.5
) -> TrialResult:
    apart = APART | {"proxy_a_distance": distance}
    outcome = ScoreOutcome(scores={"logme": logme, "leep": leep}, domain_distance=apart)
    return TrialResult(f"score@{number}", "score", 0, None, 1.0, outcome=outcome)


def ranked(job: ResolvedSpec, *trials: TrialResult) -> Transferability:
    found = transferability_of(job, trials, gather(trials, list(job.arms), None, MEASURES))
    assert found is not None
    return found


def test_the_most_promising_source_is_first() -> None:
    job = ranking_of(4)
    found = ranked(job, scored(1, None), scored(2, -0.5), scored(3, -0.25), scored(4, -0.5))
    assert found.ranked_by == "leep"
    assert [(each.source, each.reference) for each in found.ranking] == [
        (3, "ds_3"),
        (2, "ds_2"),
        (4, "mdl_4"),
        (1, "ds_1"),
    ]
    assert found.ranking[0].domain_distance == APART
    assert found.ranking[0].scores == {"logme": None, "leep": -0.25}
    assert all(each.measured is each.best_arm is None for each in found.ranking)
    assert found.quality is None


def test_the_ranking_is_held_against_each_sources_best_arm() -> None:
    """LEEP puts 2 before 1 before 3, LogME reverses that; measured: 1 (0.9), 2 (0.8), 3 (0.6)."""
    job = ranking_of(3)
    found = ranked(
        job,
        *(scored(1, -2, logme=2), scored(2, -1, logme=1), scored(3, -3, logme=3)),
        *arm("lp_ft@1", [0.5, 0.5]),
        *arm("fine_tune@1", [0.9, 0.9]),
        *arm("lp_ft@2", [0.8, 0.8]),
        *arm("lp_ft@3", [0.6, 0.6]),
        *arm("fine_tune@3", [0.4, 0.4]),
    )
    best = {each.source: (each.best_arm, each.measured) for each in found.ranking}
    assert [name for name, _ in best.values()] == ["lp_ft@2", "fine_tune@1", "lp_ft@3"]
    assert [mean and mean.mean for _, mean in best.values()] == pytest.approx([0.8, 0.9, 0.6])
    assert found.quality is not None
    leep, logme = found.quality["leep"], found.quality["logme"]
    assert leep.kendall_tau == pytest.approx(1 / 3)  # one pair of three is the wrong way round
    assert leep.regret == pytest.approx(0.1)
    assert logme.kendall_tau == pytest.approx(-1 / 3)
    assert logme.regret == pytest.approx(0.3)


def test_sources_go_by_their_names() -> None:
    trials = [scored(1, -1), scored(2, -2), scored(3, -3)]
    job = ranking_of(3)
    found = transferability_of(job, trials, {}, ["mnist", "usps", "mnist"])
    assert found
    assert [each.name for each in found.ranking] == ["mnist (ds_1)", "usps", "mnist (mdl_3)"]
    assert found.headline == "mnist (ds_1) suits best"
    unnamed = transferability_of(job, trials, {})
    assert unnamed
    assert unnamed.headline == "ds_1 suits best"


def test_one_measured_source_shows_nothing_of_the_ranking() -> None:
    found = ranked(ranking_of(2), scored(1, 1), scored(2, 2), *arm("lp_ft@1", [0.5, 0.5]))
    assert [each.best_arm for each in found.ranking] == [None, "lp_ft@1"]
    assert found.quality is None


def test_without_scores_there_is_no_ranking() -> None:
    lost = TrialResult("score@1", "score", 0, None, 1.0, error={"code": "diverged"})
    assert transferability_of(ranking_of(2), [lost, *arm("lp_ft@1", [0.5])], {}) is None


def search(name: str, seed: int, budget: int | None, **more: Any) -> TrialResult:
    outcome = outcome_of("search", SEARCHED | {"rungs": 3})
    return TrialResult(name, "search", seed, budget, 2.0, **{"outcome": outcome, **more})


def test_searches_in_the_order_of_arms_and_budgets() -> None:
    trials = [
        search("scratch", 0, None),
        search("lp_ft", 0, None),
        search("lp_ft", 1, 5),
        search("lp_ft", 0, 5),
        search("fine_tune", 0, 5, outcome=None, error={"code": "diverged"}),
        trial("lp_ft", 0, 0.5, outcome=ScoreOutcome(scores={})),
    ]
    found = searches_of(trials)
    assert [(each.arm, each.labels_per_class, each.seed) for each in found] == [
        ("lp_ft", 5, 0),
        ("lp_ft", 5, 1),
        ("lp_ft", None, 0),
        ("scratch", None, 0),
    ]
    assert found[0] == Search(
        arm="lp_ft",
        labels_per_class=5,
        seed=0,
        seconds=2.0,
        chosen={"learning_rate": 0.1},
        reason="best",
        tried=[TRIED],
    )


def test_what_a_search_cost_is_its_arms() -> None:
    pretrain = TrialResult("pretrain", "pretrain", 0, None, 7.0, id="p")
    searched = search("fine_tune", 0, None, id="s", depends_on="p")
    other = search("lp_ft", 0, None, id="o", depends_on="p")
    own = arm("fine_tune", [0.5, 0.5], depends_on="s")
    trials = [pretrain, searched, other, *own]
    evidence = gather(trials, ["fine_tune"], None, MEASURES)["fine_tune"]
    assert len(evidence.trials) == 2  # the search is none of them
    cost = cost_of("fine_tune", evidence, trials, None)
    assert (cost.trials, cost.search, cost.pretraining) == (3.0, 2.0, 7.0)


def remembered(seed: int, before: list[int], after: list[int]) -> TrialResult:
    return trial(
        "fine_tune",
        seed,
        0.5,
        y_source=np.array([0, 1, 0, 1]),
        before_source=np.array(before),
        after_source=np.array(after),
    )


def described(trials: list[TrialResult]) -> Any:
    evidence = gather(trials, ["fine_tune"], None, MEASURES)["fine_tune"]
    cost = cost_of("fine_tune", evidence, trials, None)
    return describe(evidence, None, None, None, cost, spec(seeds=len(trials)))


def test_forgetting_by_hand() -> None:
    trials = [
        remembered(0, [0, 1, 0, 1], [0, 0, 0, 1]),  # 1 -> 3/4
        remembered(1, [0, 1, 0, 0], [1, 0, 0, 0]),  # 3/4 -> 1/4
    ]
    forgotten = described(trials).forgetting
    assert (forgotten.before.mean, forgotten.after.mean) == (0.875, 0.5)
    assert forgotten.change.mean == -0.375
    assert forgotten.change.n == 2
    # Changes of -1/4 and -1/2: their standard error is 1/8, t of one degree at 95 % is 12.706.
    assert forgotten.change.high == 1  # where -0.375 + 1.588 is no change of a rate
    assert forgotten.change.low == -1


def test_forgetting_needs_every_seed() -> None:
    whole = remembered(0, [0, 1, 0, 1], [0, 0, 0, 1])
    assert described([whole, trial("fine_tune", 1, 0.5)]).forgetting is None
    assert described(arm("fine_tune", [0.5, 0.5])).forgetting is None
    empty = {name: np.array([], int) for name in ("y_source", "before_source", "after_source")}
    assert described([whole, trial("fine_tune", 1, 0.5, **empty)]).forgetting is None
