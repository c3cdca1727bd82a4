"""Members of the report on flawed data: classes of unequal size, and labels that are wrong."""

from collections.abc import Iterable, Sequence

import numpy as np

from app.spec.figures import Reference
from app.spec.flaws import Imbalance
from app.spec.outcomes import SearchOutcome, Tried
from app.spec.spec import ResolvedSpec
from app.tasks import TASKS
from app.tasks.classification import is_imbalanced
from app.tasks.contract import Metric
from worker.evaluation.evidence import TrialResult

# What else the softmax is after training, but the probability that the label is the class.
SERVED: dict[Imbalance, str] = {
    "logit_adjustment": "as if all classes were equally frequent",
    "class_weights": "as if rare classes were more frequent than they are",
}
SETTINGS = ("learning_rate", "weight_decay", "epochs", "augmentation")  # of a candidate, and tried


def flaw_warnings(
    spec: ResolvedSpec,
    reference: Reference | None,
    classes: Sequence[str],
    counts: Sequence[int],
    trials: Sequence[TrialResult],
) -> list[str]:
    """
    Args:
        reference: what the commonest class alone scores on the test items; None without labels.
        counts: labelled training items of each of the target's classes, (K,).
    """
    if not spec.has_classes:
        return []
    found: list[str] = []
    if reference and reference.is_imbalanced and spec.evaluation.primary_metric == "accuracy":
        found.append(_misleading(reference))
    if spec.space.imbalance:
        found += _compared(spec, trials)
    elif spec.imbalance == "none" and spec.target.use_labels:
        seen = TASKS[spec.task].strata(counts, spec.target.budget)
        found += [_unequal(classes, seen)] if is_imbalanced(seen) else []
    for imbalance in sorted({spec.imbalance, *(_chosen(trial) for trial in trials)}):
        if served := SERVED.get(imbalance):
            found.append(
                f"{imbalance}: the scores that are served and measured are {served}; the "
                "commonest class is answered less often than without it"
            )
    return found + _left_out(trials)


def _chosen(trial: TrialResult) -> Imbalance:
    """Choice of a search among choices of `imbalance`; `none` of any other trial."""
    outcome = trial.outcome
    return (isinstance(outcome, SearchOutcome) and outcome.chosen.imbalance) or "none"


def _compared(spec: ResolvedSpec, trials: Sequence[TrialResult]) -> Iterable[str]:
    """Tells of each search what each choice of `imbalance` came to with the strategy that was
    chosen."""
    metric = spec.evaluation.primary_metric.replace("_", " ")
    for trial in sorted(trials, key=lambda trial: (trial.arm, trial.seed)):
        outcome = trial.outcome
        if not isinstance(outcome, SearchOutcome):
            continue
        scores = _scores(outcome, spec.metric)
        if len(scores) > 1:
            told = ", ".join(
                f"{name} {scores[name]}" for name in spec.space.imbalance if name in scores
            )
            yield (
                f"{trial.arm} is trained with the imbalance {outcome.chosen.imbalance}, chosen by "
                f"{metric} on items held out of the training data: {told}"
            )


def _scores(outcome: SearchOutcome, metric: Metric) -> dict[Imbalance | None, str]:
    """Scores of the chosen strategy with each choice: with the settings that were chosen too, where
    it was tried with these, else with those that it was best with; of shares of the epochs with the
    largest."""
    chosen = outcome.chosen
    params = chosen.strategy.params.model_dump(mode="json") if chosen.strategy else {}

    def rank(each: Tried) -> tuple[bool, float, float]:
        is_so_set = each.params == params and all(
            getattr(each, name) == getattr(chosen, name) for name in SETTINGS
        )
        return is_so_set, each.share, metric.sign * (each.score or 0.0)

    scored = (t for t in outcome.tried if t.strategy == chosen.way and t.score is not None)
    return {each.imbalance: metric.shown(each.score or 0.0) for each in sorted(scored, key=rank)}


def _misleading(reference: Reference) -> str:
    scores = reference.majority
    return (
        f"accuracy misleads here: always answering {reference.majority_class} has "
        f"{scores['accuracy']:.4f} of the test items right (balanced accuracy "
        f"{scores['balanced_accuracy']:.4f}); evaluation.primary_metric balanced_accuracy or auc "
        "tells an arm from that answer"
    )


def _unequal(classes: Sequence[str], counts: Sequence[int]) -> str:
    present = {label: count for label, count in zip(classes, counts, strict=True) if count}
    most, least = max(present, key=present.__getitem__), min(present, key=present.__getitem__)
    return (
        f"the target's training items are {present[most]} of {most} and {present[least]} of "
        f"{least}: `imbalance` (logit_adjustment, class_weights, focal) trains for that, and was "
        "none"
    )


def _left_out(trials: Sequence[TrialResult]) -> list[str]:
    """How many training items were left out as suspects, by what was trained on them."""
    told: dict[str, list[tuple[int, int]]] = {}
    for trial in sorted(trials, key=lambda trial: (trial.role != "pretrain", trial.seed)):
        if trial.suspects is not None:
            left, kept = (int(count) for count in trial.suspects)
            where = f"{trial.arm} (the source)" if trial.role == "pretrain" else "the target"
            told.setdefault(where, []).append((left, left + kept))
    return [
        f"drop_suspects left out {_span(left for left, _ in items)} of "
        f"{_span(total for _, total in items)} training items of {where}, whose neighbours say "
        f"that their labels are wrong ({100 * np.mean([a / b for a, b in items if b]):.1f} % on "
        "the mean over the trials)"
        for where, items in told.items()
    ]


def _span(counts: Iterable[int]) -> str:
    """`412`, or `405 to 418`."""
    numbers = sorted(set(counts))
    return f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
