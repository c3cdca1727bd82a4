"""The seeds of an arm as one network, which learns what they answer on the mean.

It starts as the seed that would be served alone, and learns on the training items that any of the
seeds has seen, without their labels; where the job uses unlabelled items, or hides all labels, on
all of the target's. The items that this seed held out are kept from it: its temperature is fitted
on them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.spec.training import Augmentation, Training
from app.storage import Storage
from worker.evaluation.ensembles import Student
from worker.evaluation.predictions import Predictions, held_out
from worker.failures import diverged
from worker.strategies.seeds_distill import NAME
from worker.training.data import Domain, cut_at_random
from worker.training.items import Indices
from worker.training.predict import outputs_of
from worker.training.run import train
from worker.training.setup import Signal, TrialSetup
from worker.training.unwritten import UnwrittenJournal
from worker.trials.engine_setup import engine_setup
from worker.trials.ensembling import rows_of
from worker.trials.setup import target_test
from worker.trials.trial_data import TrialData


@dataclass(frozen=True, eq=False)
class Distilled:
    """`predictions`: of the validation and the test items, as a trial stores them."""

    weights: Path
    student: Student
    predictions: Predictions


def distilled(
    storage: Storage,
    start: TrialData,
    members: Sequence[TrialData],
    weights: Sequence[Path],
    signal: Callable[[], Signal | None],
    folder: Path,
) -> Distilled:
    """Trains and looks at the test items once, afterwards.

    Args:
        start: of the members, the one that would be served alone.
        weights: of each member.
        signal: whatever it says ends the training.

    Raises:
        WorkFailure: as training does.
        Interrupted: because of `signal`.
    """
    setup = student_setup(storage, start, members, weights)
    began = time.perf_counter()
    network = train(setup, UnwrittenJournal(signal))
    seconds = time.perf_counter() - began
    validation, test = setup.target.validation, target_test(storage, start)
    outputs = outputs_of(network, test.items)
    if not np.isfinite(outputs).all():
        what = "expected finite outputs of the distilled network, got others after the last epoch"
        raise diverged(what, setup.training.learning_rate, "training")
    found = held_out("test", test.y if test.is_labelled else None, outputs)
    if len(validation):
        y = validation.y if validation.is_labelled else None
        found |= held_out("validation", y, outputs_of(network, validation.items))
    path = folder / "distilled.npz"
    network.save_weights(path)
    return Distilled(path, Student(outputs, len(setup.target.train), seconds), found)


def student_setup(
    storage: Storage, start: TrialData, members: Sequence[TrialData], weights: Sequence[Path]
) -> TrialSetup:
    split, trial = start.target_split(storage, "train"), start.trial
    train_rows, held = _rows(storage, start, members, len(split))
    validation, schema = split.select(held), start.target_schema
    if start.hides_labels:
        validation, schema = validation.without_labels(), schema.named(start.classes)
    domain = Domain(schema, split.select(train_rows).without_labels(), validation)
    training = _with_views(start.training(len(train_rows)))
    setup = engine_setup(start.spec, "transfer", None, trial.seed, domain, training)
    own = [each.trial.id for each in members].index(trial.id)
    return replace(
        setup,
        recipe=NAME,
        source_weights=weights[own],
        teachers=tuple(weights),
        shares_classes=True,
        source_classes=len(start.classes),
        parts=(start.spec.part,) if start.spec.part else (),
        imbalance="none",  # there are no labels whose classes could be unequal, or wrong
        label_noise="none",
        trials=1,
    )


def _rows(
    storage: Storage, start: TrialData, members: Sequence[TrialData], items: int
) -> tuple[Indices, Indices]:
    """(learnt on, held out): rows of the target's training split."""
    everything = np.arange(items)
    if start.hides_labels:
        fraction = start.spec.training.validation_fraction
        _, held = cut_at_random(items, fraction, start.trial.seed)
        return np.setdiff1d(everything, held), held
    _, held = rows_of(storage, start)
    if start.spec.target.takes_unlabelled:
        return np.setdiff1d(everything, held), held
    seen = [np.concatenate(rows_of(storage, member)) for member in members]
    return np.setdiff1d(np.concatenate(seen), held), held


def _with_views(training: Training) -> Training:
    """The arm's settings, with weak views where it had none: what seeds answer to items that they
    have learnt tells less than what they answer to these a little changed."""
    given = training.augmentation
    views = given if isinstance(given, Augmentation) else Augmentation()
    return training.model_copy(update={"augmentation": views})
