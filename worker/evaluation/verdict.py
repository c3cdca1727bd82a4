"""Numbers into sentences: the verdict, its reason, and what to be careful about."""

from collections import Counter
from collections.abc import Sequence

from app.plurals import counted
from app.spec.intervals import Bounds, Gain
from app.spec.report import Verdict
from app.spec.spec import ResolvedSpec
from app.tasks.contract import Metric
from worker.evaluation.doubts import Doubts
from worker.evaluation.evidence import TrialResult
from worker.evaluation.measures.class_detail import DESCRIBED_CLASSES
from worker.evaluation.measures.contract import Labels
from worker.evaluation.replication import IN_WORDS

FEWEST_SEEDS = 5
FEWEST_TEST_ITEMS = 100
FEWEST_CONTESTED_ITEMS = 10
FEWEST_ITEMS_OF_A_CLASS = 5
NAMED_CLASSES = 10


def judge(
    winner: str | None, gain: Gain | None, spec: ResolvedSpec, items: int, doubts: Doubts
) -> tuple[Verdict, str]:
    """Positive when the overall interval lies above 0, negative when it lies below, else no
    evidence; and no evidence where a doubt takes the verdict away: a winner that is no better than
    an answer that looks at no item does not show that the transfer helped, whatever it gains, nor
    that it did harm where the baseline is no better either.

    Args:
        gain: the winner's over scratch.
        items: of the test.
    """
    verdict, said = _by_gain(winner, gain, spec, items)
    is_positive = verdict == "positive_transfer"
    if verdict != "no_evidence" and (doubts.any_verdict or (is_positive and doubts.positive)):
        verdict = "no_evidence"
        said += ": under these circumstances that is no evidence"
    return verdict, ". ".join([*doubts.any_verdict, *doubts.positive, said, *doubts.beside])


def _by_gain(
    winner: str | None, gain: Gain | None, spec: ResolvedSpec, items: int
) -> tuple[Verdict, str]:
    if not spec.trains_arms:
        return "no_evidence", "nothing was transferred: the sources were ranked"
    if winner is None:
        return "no_evidence", f"no transfer trial with {spec.budget_words} succeeded"
    if not items:
        unknown = f"how good {winner} is cannot be measured"
        return "no_evidence", f"the target's test items have no labels: {unknown}"
    if not spec.evaluation.baseline:
        return "no_evidence", "no baseline to compare with: evaluation.baseline is false"
    if gain is None:
        return "no_evidence", f"no seed has both a trial of {winner} and one of {spec.baseline_arm}"
    verdict = _sign(gain)
    tested = counted(items, "test item")
    over = f"{gain.n} {IN_WORDS[gain.replication]} and {tested}"
    if gain.overall is None:
        over = f"{tested} alone; {_unknown(gain) if gain.n == 1 else _unknown_over('test items')}"
    elif verdict == "no_evidence" and gain.mean:
        over += ": 0 is not ruled out"
    said = f"{winner} {_compared(gain, verdict, spec)}, "
    if items > 1:
        level = f"{100 * spec.evaluation.confidence:g} %"
        said += f"{level} interval {_shown(gain.overall or gain.bootstrap, spec.metric)} "
        said += "" if spec.metric.higher_is_better else "of the improvement "
    return verdict, f"{said}over {over}"


def _sign(gain: Gain) -> Verdict:
    if gain.overall is None or not gain.mean:
        return "no_evidence"
    if gain.overall.low > 0:
        return "positive_transfer"
    if gain.overall.high < 0:
        return "negative_transfer"
    return "no_evidence"


def _compared(gain: Gain, verdict: Verdict, spec: ResolvedSpec) -> str:
    """`beats scratch by 0.1060 accuracy`; never by nothing."""
    name, metric = spec.evaluation.primary_metric, spec.metric
    if not gain.mean:
        return f"equals {spec.baseline_arm} in {name}"
    amount = metric.shown(abs(gain.mean))
    if float(amount.replace(",", "")) == 0:
        if verdict == "no_evidence":
            return f"equals {spec.baseline_arm} in {name} to four decimals"
        amount = f"{abs(gain.mean):.1e}"
    is_above = (gain.mean > 0) == metric.higher_is_better
    relation = {
        "positive_transfer": "beats",
        "negative_transfer": "is worse than",
        "no_evidence": "lies above" if is_above else "lies below",
    }[verdict]
    said = f"{relation} {spec.baseline_arm} by {amount} {name}"
    return said if metric.higher_is_better else f"{said} ({metric.direction})"


def multiplicity(baseline: str, comparisons: int, budgets: int) -> str:
    """
    Args:
        comparisons: arms compared with the baseline at the job's label budget.
        budgets: label budgets that have results.
    """
    if comparisons == 0:
        return f"no arm was compared with {baseline}"
    if comparisons == 1:
        said = f"1 arm was compared with {baseline}: there is nothing to correct"
    else:
        said = (
            f"{comparisons} arms were compared with {baseline}: p_holm is corrected for all of "
            "them (Holm, 1979); the verdict needs no correction, since it speaks of one arm, "
            "chosen without the test items"
        )
    if budgets > 1:
        said += (
            "; the gains at each other label budget are corrected among themselves, and none "
            "enters the verdict"
        )
    return said


def warnings_about(
    spec: ResolvedSpec,
    gain: Gain | None,
    contested: int | None,
    y_test: Labels,
    classes: Sequence[str],
    class_counts: Sequence[int],
    failed: Sequence[TrialResult],
) -> list[str]:
    """Sentences.

    Args:
        gain: that the verdict rests on.
        contested: test items that the winner has right and scratch wrong, or the other way round.
        y_test: the test's labels, (n,).
        class_counts: items of each class in the training split.
    """
    codes = Counter((t.arm, str(t.error["code"])) for t in failed if t.error is not None)
    failures = [
        f"{arm}: {counted(count, 'trial')} failed ({code})"
        for (arm, code), count in sorted(codes.items())
    ]
    if len(y_test) == 0:
        return failures
    return [
        *_about_seeds(spec, gain),
        *_about_items(spec, contested, y_test, classes, class_counts),
        *failures,
    ]


def _unknown(gain: Gain) -> str:
    """What cannot be said of a single value."""
    if gain.replication == "one_network":
        return f"every seed evaluates the same network: {_unknown_over('networks')}"
    return ONE_SEED


def _unknown_over(what: str) -> str:
    return f"the spread over {what} is unknown, so no interval for other {what} can be given"


ONE_SEED = f"1 seed: {_unknown_over('seeds')}"


def _about_seeds(spec: ResolvedSpec, gain: Gain | None) -> list[str]:
    warnings = []
    pretrainings, planned = spec.evaluation.pretrain_seeds, spec.evaluation.seeds
    values = gain.n if gain else planned
    if values == 1:
        warnings.append(_unknown(gain) if gain else ONE_SEED)
    elif values < FEWEST_SEEDS:
        what = "pretrainings" if gain and gain.replication == "pretrainings" else "seeds"
        warnings.append(
            f"{values} {what}: with fewer than {FEWEST_SEEDS} the spread over {what} is poorly "
            "known"
        )
    if pretrainings == 1 and planned > 1:
        warnings.append(
            "all seeds share one pretraining: intervals and p-values hold for that one, and do not "
            "tell how much the pretraining varies"
        )
    elif pretrainings < planned:
        warnings.append(
            f"{planned} seeds share {pretrainings} pretrainings: seeds that share one count once, "
            f"by their mean, so intervals rest on {pretrainings} values"
        )
    return warnings


def _about_items(
    spec: ResolvedSpec,
    contested: int | None,
    y_test: Labels,
    classes: Sequence[str],
    class_counts: Sequence[int],
) -> list[str]:
    warnings, baseline = [], spec.baseline_arm
    if len(y_test) < FEWEST_TEST_ITEMS:
        warnings.append(
            f"{counted(len(y_test), 'test item')}: with fewer than {FEWEST_TEST_ITEMS} only large "
            "gains show"
        )
    if contested is not None and contested < FEWEST_CONTESTED_ITEMS:
        warnings.append(
            f"the winner and {baseline} differ on {counted(contested, 'test item')}: with fewer "
            f"than {FEWEST_CONTESTED_ITEMS} the interval is rough"
        )
    if not spec.has_classes:
        return warnings
    if (left_off := len(classes) - DESCRIBED_CLASSES) > 0:
        warnings.append(
            f"{len(classes)} classes: the figures of single classes are those of the first "
            f"{DESCRIBED_CLASSES}, {left_off} are left off"
        )
    learnt = zip(classes, class_counts, strict=True) if spec.target.use_labels else ()
    if unseen := [label for label, count in learnt if not count]:
        warnings.append(
            f"classes without a training item: {_named(unseen)}; they cannot be recognised"
        )
    present = Counter(y_test.tolist())
    few = [
        f"{label} ({present[k]})"
        for k, label in enumerate(classes)
        if 0 < present[k] < FEWEST_ITEMS_OF_A_CLASS
    ]
    if few and spec.evaluation.primary_metric != "accuracy":
        warnings.append(
            f"classes with fewer than {FEWEST_ITEMS_OF_A_CLASS} test items weigh as much as the "
            f"others by {spec.evaluation.primary_metric}: {_named(few)}; the interval is rough"
        )
    if absent := [label for k, label in enumerate(classes) if k not in present]:
        warnings.append(
            f"classes without a test item: {_named(absent)}; "
            "nothing is known of how well they are recognised"
        )
    return warnings


def _named(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - NAMED_CLASSES} more" if len(labels) > NAMED_CLASSES else ""
    return f"{', '.join(labels[:NAMED_CLASSES])}{more}"


def _shown(bounds: Bounds, metric: Metric) -> str:
    return f"[{metric.shown(bounds.low, signed=True)}, {metric.shown(bounds.high, signed=True)}]"
