"""Scores of trials on items that they were trained on: whether anything was learnt, and whether
training mode and inference agree."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from app.plurals import counted
from app.spec.plan import PRETRAIN, sources_of
from app.spec.spec import ResolvedSpec
from worker.evaluation.calibration import FEWEST_VALIDATION_ITEMS
from worker.evaluation.evidence import Evidence, TrialResult
from worker.evaluation.measures.contract import Level, Measures

FEWEST_ITEMS = 20  # with fewer the standard error of an accuracy is above 0.1
MODES_APART = 0.05  # accuracy in training mode minus that in inference
ANSWERS_APART = 0.2  # share of items that get another class, where there are no labels
FAR_APART = 0.2  # accuracy on training items minus that on validation items


@dataclass(frozen=True)
class Fit:
    """Fit of several trials, over all their items that they were trained on.

    `accuracy`, in inference, and `in_training_mode` are None where the labels are hidden;
    `other_answers` is the share of items of which the two modes predict different classes.
    """

    accuracy: float | None
    in_training_mode: float | None
    other_answers: float

    @property
    def lag(self) -> float:
        """Amount by which accuracy in inference lies below that in training mode; 0 without
        labels."""
        if self.accuracy is None or self.in_training_mode is None:
            return 0.0
        return self.in_training_mode - self.accuracy

    @property
    def is_torn(self) -> bool:
        """Tells whether the two modes are too far apart: with labels, whether inference, which is
        what is measured and served, is the worse one. Where BatchNorm was frozen the other way is
        normal.
        """
        if self.accuracy is None:
            return self.other_answers > ANSWERS_APART
        return self.lag > MODES_APART


def fit_of(trials: Sequence[TrialResult], measures: Measures) -> Fit | None:
    """Returns None where nothing, or too little, is stored of items trained on, and where no answer
    is right or wrong."""
    right: list[bool] = []
    right_in_training: list[bool] = []
    other: list[bool] = []
    for trial in trials:
        if trial.logits_train is None or trial.logits_train_mode is None:
            continue
        answers = measures.answers(trial.logits_train)
        in_training = measures.answers(trial.logits_train_mode)
        if answers is None or in_training is None:
            return None
        other += (answers != in_training).tolist()
        if trial.y_train is not None:
            right += (answers == trial.y_train).tolist()
            right_in_training += (in_training == trial.y_train).tolist()
    if len(other) < FEWEST_ITEMS:
        return None
    is_labelled = len(right) == len(other)
    return Fit(
        accuracy=float(np.mean(right)) if is_labelled else None,
        in_training_mode=float(np.mean(right_in_training)) if is_labelled else None,
        other_answers=float(np.mean(other)),
    )


def torn(name: str, fit: Fit | None) -> str | None:
    """A sentence where training mode and inference disagree."""
    if fit is None or not fit.is_torn:
        return None
    if fit.accuracy is None:
        return (
            f"{name} gives {100 * fit.other_answers:.0f} % of the target's training items another "
            "class by the batch's own BatchNorm statistics than by the stored ones: these do not "
            "fit the target"
        )
    return (
        f"{name} has {fit.in_training_mode:.4f} of its own training items right in training mode "
        f"and {fit.accuracy:.4f} in inference: its BatchNorm statistics do not fit its weights"
    )


def by_heart(name: str, evidence: Evidence) -> str | None:
    """A sentence where training items are far better recognised than validation items, by more than
    0.2 and two standard errors."""
    fit = fit_of([each.result for each in evidence.trials], evidence.measures)
    items = evidence.validation_items
    validation = evidence.validation("accuracy") if fit else None
    if fit is None or fit.accuracy is None or not validation or items < FEWEST_VALIDATION_ITEMS:
        return None
    mean = float(np.mean(validation))
    gap, error = fit.accuracy - mean, sqrt(mean * (1 - mean) / items)
    if gap <= max(FAR_APART, 2 * error):
        return None
    return (
        f"{name} has {fit.accuracy:.4f} of its own training items right and {mean:.4f} of the "
        "validation items: it knows items by heart more than it generalises"
    )


def pretrainings_of(trials: Sequence[TrialResult], arm: str) -> list[TrialResult]:
    """Those that the arm's trials start from, with searches between or without."""
    by_id = {trial.id: trial for trial in trials if trial.id}
    found: dict[str, TrialResult] = {}
    for trial in trials:
        if trial.arm != arm:
            continue
        needed = by_id.get(trial.depends_on or "")
        if needed and needed.role == "search":
            needed = by_id.get(needed.depends_on or "")
        if needed and needed.role == PRETRAIN:
            found[needed.id] = needed
    return list(found.values())


def warnings_about_fit(
    spec: ResolvedSpec, trials: Sequence[TrialResult], arms: Sequence[str], measures: Measures
) -> list[str]:
    """Warnings about pretrainings and arms: what has learnt nothing, and what is torn between the
    modes.

    Args:
        arms: in the order in which they are shown.
    """
    by_arm: dict[str, list[TrialResult]] = defaultdict(list)
    for trial in sorted(trials, key=lambda trial: (trial.arm, trial.seed)):
        task = spec.task_of(sources_of(spec, trial.arm)) if trial.role == PRETRAIN else spec.task
        if trial.error is None and trial.logits_train is not None and task == spec.task:
            by_arm[trial.arm].append(trial)
    names = [name for name in by_arm if name not in arms] + [
        name for name in arms if name in by_arm
    ]
    warnings = []
    for name in names:
        fit, of_arm = fit_of(by_arm[name], measures), by_arm[name]
        starting = ""
        if of_arm[0].role == PRETRAIN:
            own = {trial.id for trial in of_arm}
            after = [
                arm for arm in arms if own & {each.id for each in pretrainings_of(trials, arm)}
            ]
            starting = f"; {', '.join(after)} start from it" if after else ""
        if said := torn(name, fit):
            warnings.append(said + starting)
        if said := _learnt_nothing(name, of_arm, measures):
            warnings.append(f"{said}{starting}. {_advice(of_arm[0], spec)}")
    return warnings


def _learnt_nothing(name: str, trials: Sequence[TrialResult], measures: Measures) -> str | None:
    """Tells by the task's own metric. What a pretraining's outputs mean in a source's unit is not
    known here."""
    at_chance: list[tuple[float, Level]] = []
    metric = measures.task.default_metric
    known = 0
    for trial in trials:
        y, logits = trial.y_train, trial.logits_train
        if y is None or logits is None or len(y) < FEWEST_ITEMS:
            continue
        if trial.role == PRETRAIN and not measures.task.has_classes:
            continue
        known += 1
        value = float(np.mean(measures.item_values(y, logits, metric)))
        level = measures.level(y, metric, logits.shape[1])
        if level.standing(value) != "above":
            at_chance.append((value, level))
    if not at_chance:
        return None
    value, level = at_chance[0]
    shown = measures.task.metrics[metric].shown
    return (
        f"{name}: {len(at_chance)} of {counted(known, 'trial')} at chance on "
        f"the items trained on ({metric} {shown(value)}, where an answer that looks at no item has "
        f"{shown(level.score)}): nothing was learnt"
    )


def _advice(trial: TrialResult, spec: ResolvedSpec) -> str:
    """What may have gone wrong, the likeliest first, and what to try."""
    training = spec.training
    rate, data = training.learning_rate, "target"
    more = f"training.min_steps {2 * trial.steps}" if trial.steps else "more training.epochs"
    if trial.role == PRETRAIN:
        epochs = training.pretrain_epochs or training.epochs
        more, data = f"training.pretrain_epochs {2 * epochs}", "source"
        if training.pretrain_min_steps and trial.steps:
            more = f"training.pretrain_min_steps {2 * trial.steps}"
    return (
        f"Likely causes: a learning rate that is too high or too low (try training.learning_rate "
        f"{rate / 10:g}, then {min(10.0, rate * 10):g}), too little training (try {more}), or "
        f"labels that do not fit the {spec.items_word} (look at some of the {data}'s items with "
        "their labels)"
    )
