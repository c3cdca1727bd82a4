"""Progress and the time left, from rows made by hand."""

from app.jobs.progress import Part, Tally


def part(
    arm: str, status: str, trials: int, steps: float, done: float, seconds: float = 0.0
) -> Part:
    return Part(arm, status, trials, steps, done, done, seconds)


def test_progress_is_weighted_by_steps() -> None:
    tally = Tally(
        [
            part("pretrain", "succeeded", 1, 100, 100, 20),
            part("scratch", "running", 2, 40, 10, 5),
            part("scratch", "failed", 1, 20, 3, 1),  # it will do no more
            part("fine_tune", "queued", 2, 40, 0),
        ]
    )
    assert tally.progress == (100 + 10 + 20) / 200
    assert tally.counts == {"succeeded": 1, "running": 2, "failed": 1, "queued": 2}


def test_a_job_without_steps_has_no_progress() -> None:
    assert Tally().progress == 0
    assert Tally([part("scratch", "queued", 1, 0, 0)]).progress == 0


def test_the_time_left_by_arm_over_the_trials_at_once() -> None:
    """scratch: 6 s for 13 steps, 30 are left; fine_tune: 8 s for 20 steps, 20 are left."""
    tally = Tally(
        [
            part("pretrain", "succeeded", 1, 100, 100, 900),
            part("scratch", "running", 2, 40, 10, 5),
            part("scratch", "failed", 1, 20, 3, 1),
            part("fine_tune", "succeeded", 1, 20, 20, 8),
            part("fine_tune", "queued", 1, 20, 0),
        ]
    )
    assert tally.seconds_left({"scratch": 1000}) == (30 * 6 / 13 + 20 * 8 / 20) / 2


def test_an_arm_not_yet_measured_takes_what_others_of_its_kind_took() -> None:
    measured = part("scratch", "succeeded", 1, 20, 20, 10)
    waiting = part("fine_tune", "queued", 1, 30, 0)
    pretrain = part("pretrain", "running", 1, 100, 50, 200)
    assert Tally([pretrain, measured, waiting]).seconds_left({}) == 50 * 4 + 30 * 0.5


def test_what_this_job_has_not_measured_is_taken_from_the_installation() -> None:
    tally = Tally(
        [part("pretrain", "running", 1, 100, 50, 200), part("lp_ft", "waiting", 1, 30, 0)]
    )
    assert tally.seconds_left({}) is None
    assert tally.seconds_left({"lp_ft": 2}) == 50 * 4 + 30 * 2
    assert tally.seconds_left({"a": 1, "b": 3, "c": 9}) == 50 * 4 + 30 * 3


def test_a_pretraining_taken_over_measures_nothing() -> None:
    taken_over = Part("pretrain", "succeeded", 1, 100, 100, 0, 0)
    tally = Tally([taken_over, part("pretrain", "queued", 1, 100, 0)])
    assert tally.progress == 0.5
    assert tally.seconds_left({}) is None


def test_a_job_that_has_ended_needs_no_more_time() -> None:
    assert Tally([part("scratch", "cancelled", 3, 60, 10)]).seconds_left({}) == 0
