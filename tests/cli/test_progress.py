"""A job's progress in words."""

import io
from typing import Any

import pytest
from rich.console import Console

from app.cli import progress
from app.jobs.schemas import JobOut
from tests.jobs.page.examples import job


def running(**changes: Any) -> JobOut:
    trials = {"succeeded": 4, "failed": 1, "running": 2, "queued": 5}
    fields = {"status": "running", "stage": "training", "progress": 0.4, "trials": trials}
    return job(**{**fields, "eta_seconds": 125.0, **changes})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (599, "9 min 59 s"),
        (840, "14 min"),
        (3599, "1 h 00 min"),
        (44_238, "12 h 17 min"),
    ],
)
def test_no_more_precise_than_an_estimate_is(seconds: float, words: str) -> None:
    assert progress.duration(seconds) == words


def test_the_time_left_of_a_running_job_alone() -> None:
    assert progress.eta(running()) == "about 2 min 05 s left"
    assert progress.eta(running(eta_seconds=None)) == ""
    assert progress.eta(running(status="cancelled", eta_seconds=0.0)) == ""


def test_trials_that_ended_and_trials_that_finished() -> None:
    assert progress.trials(running()) == "5/12 trials"
    left = {"succeeded": 5, "cancelled": 7}
    assert progress.trials(running(status="cancelled", trials=left)) == "5 of 12 trials finished"
    assert progress.trials(running(status="succeeded", trials={"succeeded": 12})) == "12/12 trials"


def test_a_log_gets_a_line_for_each_step_and_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    written, clock = io.StringIO(), [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with progress.shown(Console(file=written, width=200)) as show:
        for moment, shown in (
            (0.0, running()),
            (1.0, running(progress=0.41)),  # hardly any news
            (31.0, running(progress=0.6, eta_seconds=70.0)),
            (90.0, running(progress=0.6)),  # it has not moved
            (91.0, running(progress=0.6, trials={"succeeded": 6, "running": 6})),
        ):
            clock[0] = moment
            show(shown, None)
    lines = [line.split(" ", 1)[1] for line in written.getvalue().splitlines()]
    assert lines == [
        "training, 40%, 5/12 trials, about 2 min 05 s left",
        "training, 60%, 5/12 trials, about 1 min 10 s left",
        "training, 60%, 6/12 trials, about 2 min 05 s left",
    ]
