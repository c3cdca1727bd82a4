"""Progress, from rows made by hand."""

from app.spec.progress import StatusCount, TrialCounts


def test_progress_is_weighted_by_planned_seconds() -> None:
    tally = TrialCounts(
        [
            StatusCount("succeeded", 1, 100, 100, 1),
            StatusCount("running", 2, 40, 10, 0.5),
            StatusCount("failed", 1, 20, 3, 0.15),  # it will do no more
            StatusCount("queued", 2, 40, 0, 0),
        ]
    )
    assert tally.progress == (100 + 10 + 20) / 200
    assert tally.done == (100 + 10 + 3) / 200
    assert tally.counts == {"succeeded": 1, "running": 2, "failed": 1, "queued": 2}


def test_trials_of_an_older_release_count_alike() -> None:
    """They had no planned seconds."""
    tally = TrialCounts(
        [StatusCount("succeeded", 1, 0, 0, 1), StatusCount("running", 3, 0, 0, 0.6)]
    )
    assert tally.progress == tally.done == 1.6 / 4


def test_a_job_without_trials_has_no_progress() -> None:
    assert TrialCounts().progress == TrialCounts().done == 0
