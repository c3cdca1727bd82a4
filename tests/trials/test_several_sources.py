"""Jobs with several sources: each alone, all as one, and which suits best."""

import pytest

from tests.trials.conftest import AddDataset
from tests.trials.jobs import page_of, report_of, run, submit
from worker.machine.context import WorkerContext


def test_each_alone_and_all_as_one(context: WorkerContext, add_dataset: AddDataset) -> None:
    sources = [{"dataset": add_dataset(seed)} for seed in (1, 2)]
    evaluation = {"seeds": 2, "forgetting": True}
    job, trials = run(context, submit(context, sources, add_dataset(3), evaluation=evaluation))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    assert [trial.arm for trial in trials if trial.role == "pretrain"] == [
        "pretrain@1",
        "pretrain@2",
        "pretrain@all",
    ]
    report = report_of(job)
    assert set(report.arms) == {"scratch", "fine_tune@1", "fine_tune@2", "fine_tune@all"}
    assert report.transferability is not None
    assert {each.reference for each in report.transferability.ranking} == {
        source["dataset"] for source in sources
    }
    assert all(each.measured for each in report.transferability.ranking)
    assert report.transferability.quality is not None
    assert {arm for arm, found in report.arms.items() if found.forgetting} == {
        "fine_tune@1",
        "fine_tune@2",
        "fine_tune@all",
    }
    forgetting = report.arms["fine_tune@1"].forgetting
    assert forgetting is not None
    change = forgetting.after.mean - forgetting.before.mean
    assert abs(forgetting.change.mean - change) < 1e-9
    page = page_of(context, job)
    assert "Which source suits" in page
    assert "What it forgot" in page


def test_a_ranking_trains_no_arm(context: WorkerContext, add_dataset: AddDataset) -> None:
    sources = [{"dataset": add_dataset(seed)} for seed in (1, 2)]
    job, trials = run(context, submit(context, sources, add_dataset(3), kind="rank"))
    assert [trial.role for trial in trials] == ["pretrain", "pretrain", "score", "score"]
    report = report_of(job)
    assert (report.verdict, report.winner, report.arms) == ("no_evidence", None, {})
    assert report.transferability is not None
    assert report.reason.startswith(report.transferability.headline)
    assert {each.name for each in report.transferability.ranking} == {"rows 1", "rows 2"}
    assert all(each.relation for each in report.transferability.ranking)
    scores = report.transferability.ranking[0].scores
    assert set(scores) == {"leep", "logme", "h_score", "knn", "probe"}
    ranked = [each.scores["leep"] or 0 for each in report.transferability.ranking]
    assert ranked == sorted(ranked, reverse=True)
    assert report.transferability.quality is None
    assert report.transferability.ranking[0].domain_distance is not None
    assert job.model_id is None
    assert "Which source suits" in page_of(context, job)


def test_a_ranking_that_is_measured(context: WorkerContext, add_dataset: AddDataset) -> None:
    sources = [{"dataset": add_dataset(seed)} for seed in (1, 2)]
    job, _ = run(context, submit(context, sources, add_dataset(3), kind="rank", measure=True))
    report = report_of(job)
    assert set(report.arms) == {"scratch", "fine_tune@1", "fine_tune@2"}
    assert report.transferability is not None
    assert report.transferability.quality is not None
    ranking = report.transferability.ranking
    measured = {each.source: each.measured.mean for each in ranking if each.measured}
    assert measured.keys() == {1, 2}
    assert {each.best_arm for each in ranking} == {"fine_tune@1", "fine_tune@2"}
    assert set(report.transferability.quality) == {"leep", "logme", "h_score", "knn", "probe"}
    for score, quality in report.transferability.quality.items():
        scores = {each.source: each.scores[score] for each in ranking}
        first = [measured[source] for source in scores if scores[source] == max(scores.values())]
        regret = max(measured.values()) - sum(first) / len(first)
        assert quality.regret == pytest.approx(regret)
