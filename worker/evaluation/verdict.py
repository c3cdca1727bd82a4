"""Numbers into sentences: the verdict, its reason, and what to be careful about."""

from collections.abc import Mapping, Sequence

from app.jobs.report import Bounds, Gain, Verdict
from app.jobs.strategies import BASELINE
from worker.evaluation.arrays import Ints

FEWEST_SEEDS = 5
FEWEST_TEST_ITEMS = 100
NAMED_CLASSES = 10


def judge(
    winner: str | None,
    gain: Gain | None,
    metric: str,
    confidence: float,
    items: int,
    baseline_wanted: bool,
) -> tuple[Verdict, str]:
    """Positive when the interval over seeds and the one over test items both lie above 0, negative
    when both lie below, else no evidence. With one seed the interval over test items stands alone.
    """
    if winner is None:
        return "no_evidence", "no transfer trial succeeded"
    if not baseline_wanted:
        return "no_evidence", "no baseline to compare with: evaluation.baseline is false"
    if gain is None:
        return "no_evidence", f"no seed has both a trial of {winner} and one of {BASELINE}"
    intervals = [(gain.bootstrap, f"over {items} test items")]
    if gain.low is not None and gain.high is not None:
        intervals.insert(0, (Bounds(low=gain.low, high=gain.high), f"over {gain.n} seeds"))
    shown = " and ".join(f"[{b.low:+.4f}, {b.high:+.4f}] {over}" for b, over in intervals)
    numbers = f"by {abs(gain.mean):.4f} {metric}, {100 * confidence:g} % interval {shown}"
    if all(bounds.low > 0 for bounds, _ in intervals):
        return "positive_transfer", f"{winner} beats {BASELINE} {numbers}"
    if all(bounds.high < 0 for bounds, _ in intervals):
        return "negative_transfer", f"{winner} is worse than {BASELINE} {numbers}"
    side = "above" if gain.mean >= 0 else "below"
    return "no_evidence", f"{winner} lies {side} {BASELINE} {numbers}: 0 is not ruled out"


def warnings_about(
    seeds: int,
    y_test: Ints,
    classes: Sequence[str],
    failed: Mapping[tuple[str, str], int],
) -> list[str]:
    """Sentences.

    Args:
        seeds: that the verdict rests on.
        y_test: the test's labels, (n,).
        failed: number of trials by arm and failure's code.
    """
    failures = [
        f"{arm}: {count} {'trial' if count == 1 else 'trials'} failed ({code})"
        for (arm, code), count in sorted(failed.items())
    ]
    if len(y_test) == 0:
        return failures
    warnings = []
    if seeds == 1:
        warnings.append(
            "1 seed: the spread over seeds is unknown, the verdict rests on the test items alone"
        )
    elif seeds < FEWEST_SEEDS:
        warnings.append(
            f"{seeds} seeds: with fewer than {FEWEST_SEEDS} the spread over seeds is poorly known"
        )
    if len(y_test) < FEWEST_TEST_ITEMS:
        warnings.append(
            f"{len(y_test)} test items: with fewer than {FEWEST_TEST_ITEMS} only large gains show"
        )
    absent = [label for k, label in enumerate(classes) if k not in y_test]
    if absent:
        more = f" and {len(absent) - NAMED_CLASSES} more" if len(absent) > NAMED_CLASSES else ""
        warnings.append(
            f"classes without a test item: {', '.join(absent[:NAMED_CLASSES])}{more}; "
            "nothing is known of how well they are recognised"
        )
    return warnings + failures
