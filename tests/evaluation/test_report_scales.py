from tests.evaluation.made_up import BETTER, COUNTS, SCRATCH, TASK, arm, spec
from worker.evaluation.report import build_report


def test_what_the_job_was_warned_of_stands_in_its_report() -> None:
    said = "The source and the target seem to be on different scales"
    trials = [*SCRATCH, *arm("fine_tune", BETTER)]
    warned = spec().model_copy(update={"warnings": (said,)})
    assert said in build_report(warned, trials, TASK, COUNTS).warnings
    assert said not in build_report(spec(), trials, TASK, COUNTS).warnings
