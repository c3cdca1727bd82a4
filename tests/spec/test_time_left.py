"""The time left, from rows made by hand."""

from collections.abc import Iterator

import pytest

from app.spec.time_left import FINALISING_SECONDS, TimingRatios, TrialTime, seconds_left

NOTHING = TimingRatios({})


def of(
    arm: str,
    status: str = "waiting",
    planned: float = 10.0,
    progress: float | None = None,
    seconds: float = 0.0,
    role: str = "transfer",
    labels: int | None = 5,
    **more: bool,
) -> TrialTime:
    done = float(status == "succeeded") if progress is None else progress
    return TrialTime(role, arm, labels, status, planned, done, seconds, **more)


def training_left(
    *trials: TrialTime, pace: TimingRatios = NOTHING, left: float | None = None
) -> float:
    return seconds_left(trials, pace, left) - FINALISING_SECONDS


def test_a_trial_takes_what_finished_ones_of_its_arm_took() -> None:
    """Whatever was planned: the median of 8, 2 and 3 s; 4 of them wait and one is half done."""
    finished = [of("lp_ft", "succeeded", 900, seconds=s) for s in (8, 2, 3)]
    waiting = [of("lp_ft", "waiting", 900) for _ in range(4)]
    running = of("lp_ft", "running", 900, progress=0.5, seconds=40)
    assert training_left(*finished, *waiting, running) == pytest.approx(4 * 3 + 0.5 * 3)


def test_the_first_of_two_had_to_compile() -> None:
    finished = [of("lp_ft", "succeeded", seconds=s) for s in (9, 1)]
    assert training_left(*finished, of("lp_ft")) == pytest.approx(1)


def test_another_label_budget_is_another_length() -> None:
    """20 of 10 planned seconds at 5 labels: a pace of 2, so 60 of 30 at 50."""
    finished = of("lp_ft", "succeeded", 10, seconds=20, labels=5)
    assert training_left(finished, of("lp_ft", planned=30, labels=50)) == pytest.approx(60)


def test_a_scoring_or_a_search_says_nothing_absurd_of_a_training() -> None:
    """What made 44,238 s of a minute: the seconds of a scoring, which has one step, counted a step,
    times the thousands of steps of the trials that waited."""
    scored = of("score@1", "succeeded", 2.5, seconds=5, role="score")
    waiting = [of("lp_ft@1", planned=6) for _ in range(10)]
    assert training_left(scored, *waiting) == pytest.approx(10 * 6 * 2)


def test_one_minute_before_the_end_of_a_small_job() -> None:
    """Two sources, 5 seeds, without target labels: the bound took 4 s a seed, dann 12 s. What
    waits are 5 trials of dann; source_only had taken 2 s for its one step."""
    job = [
        of("pretrain@1", "succeeded", 30, seconds=20, role="pretrain"),
        *(of("source_only", "succeeded", 0.5, seconds=2, role="baseline") for _ in range(5)),
        *(of("target_supervised", "succeeded", 9, seconds=4, role="bound") for _ in range(5)),
        *(of("dann", "succeeded", 80, seconds=12) for _ in range(3)),
        of("dann", "running", 80, progress=0.25, seconds=3),
        of("dann", "running", 80, progress=0.25, seconds=3),
        *(of("dann") for _ in range(5)),
    ]
    left = seconds_left(job, NOTHING)
    assert 30 < left < 120
    assert left == pytest.approx((5 * 12 + 2 * 0.75 * 12) / 2 + FINALISING_SECONDS)


def test_an_arm_not_yet_measured_goes_at_the_pace_of_its_kind() -> None:
    """Half the planned seconds; the pretraining's pace of 4 is another kind's."""
    pretrain = of("pretrain", "succeeded", 10, seconds=40, role="pretrain")
    scratch = of("scratch", "succeeded", 20, seconds=10, role="baseline")
    assert training_left(pretrain, scratch, of("lp_ft", planned=30)) == pytest.approx(15)


def test_the_only_pace_there_is_is_the_pretrainings() -> None:
    pretrain = of("pretrain", "running", 10, progress=0.5, seconds=15, role="pretrain")
    assert training_left(pretrain, of("lp_ft", planned=20)) == pytest.approx(0.5 * 30 + 3 * 20)


def test_a_running_trial_that_has_hardly_begun_has_mostly_compiled() -> None:
    begun = of("lp_ft", "running", 10, progress=0.05, seconds=12)
    assert training_left(begun) == pytest.approx(0.95 * 10)


def test_a_job_that_measured_nothing_goes_at_the_installations_pace() -> None:
    assert training_left(of("lp_ft", planned=30)) == pytest.approx(30)
    few = TimingRatios({"lp_ft": [4.0], "scratch": [1.0, 2.0]})
    assert training_left(of("lp_ft", planned=30), pace=few) == pytest.approx(2 * 30)
    many = TimingRatios({"lp_ft": [4.0, 4.0, 5.0], "scratch": [1.0, 1.0, 1.0, 1.0]})
    assert training_left(of("lp_ft", planned=30), pace=many) == pytest.approx(4 * 30)


def test_a_pretraining_taken_over_measures_nothing() -> None:
    taken = of("pretrain", "succeeded", 50, role="pretrain", is_taken_over=True)
    assert training_left(taken, of("pretrain", planned=50, role="pretrain")) == 50


def test_several_at_once() -> None:
    """60 s of work, two at once; but never less than what the longest has before it."""
    finished = [of("lp_ft", "succeeded", seconds=20), of("dann", "succeeded", seconds=2)]
    waiting = [of("lp_ft", "running", progress=0.5), of("lp_ft", "running", progress=0.5)]
    assert training_left(*finished, *waiting, of("lp_ft"), of("lp_ft")) == pytest.approx(30)
    uneven = [of("lp_ft", "running", progress=0), of("dann", "running", progress=0)]
    assert training_left(*finished, *uneven) == pytest.approx(20)


def test_no_longer_than_the_jobs_budget() -> None:
    finished = of("lp_ft", "succeeded", seconds=20)
    trials = (finished, *(of("lp_ft") for _ in range(5)))
    assert training_left(*trials, left=980) == 100
    assert training_left(*trials, left=30) == 30
    assert training_left(*trials, left=-10) == 0


def test_trials_that_are_alike_count_one_by_one() -> None:
    finished, running = of("a", "succeeded", seconds=3), of("a", "running", progress=0.5, seconds=9)
    one_by_one = training_left(finished, running, *(of("a") for _ in range(500)))
    together = training_left(
        finished, running, TrialTime("transfer", "a", 5, "queued", 10, trials=500)
    )
    assert together == one_by_one == pytest.approx(500 * 3 + 0.5 * 3)


def test_nothing_is_left_but_the_report() -> None:
    ended = [of("a", "succeeded", seconds=3), of("b", "failed"), of("c", "cancelled")]
    assert seconds_left(ended, NOTHING) == FINALISING_SECONDS


def stories() -> Iterator[tuple[str, list[tuple[str, float, float]]]]:
    """Arm, planned seconds and true seconds of each trial of a job, in its order."""
    for seeds in (2, 5, 20):
        for planned, true in ((1.0, 1.0), (2000.0, 3.0), (0.2, 30.0)):
            name = f"{seeds} seeds, {planned} planned, {true} true"
            yield name, [(arm, planned, true) for _ in range(seeds) for arm in ("scratch", "lp_ft")]
    unlike = [("scratch", 5.0, 50.0), ("linear_probe", 90.0, 1.0), ("dann", 4.0, 4.0)]
    yield "arms planned wrongly in both directions", unlike * 10


@pytest.mark.parametrize(("name", "story"), [*stories()])
def test_right_within_a_factor_of_two_once_each_arm_has_a_finished_trial(
    name: str, story: list[tuple[str, float, float]]
) -> None:
    """At every trial's beginning, middle and end, one at a time, trials of equal time."""
    arms = {arm for arm, _, _ in story}
    for place in range(len(story)):
        for share in (0.0, 0.5, 0.99):
            trials = [
                of(arm, "succeeded", planned, seconds=true)
                if number < place
                else of(arm, "running", planned, progress=share, seconds=share * true)
                if number == place
                else of(arm, "waiting", planned)
                for number, (arm, planned, true) in enumerate(story)
            ]
            if {arm for arm, _, _ in story[:place]} != arms:
                continue
            truth = sum(true for _, _, true in story[place:]) - share * story[place][2]
            assert truth / 2 <= training_left(*trials) <= 2 * truth, (name, place, share)
