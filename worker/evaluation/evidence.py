"""One arm's evidence: its trials, measured on the items that they predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.spec.outcomes import TrialOutcome
from app.spec.plan import Role
from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.measures.contract import Labels, Measures
from worker.evaluation.replication import GIVEN, Replicates, replicates_of


@dataclass(frozen=True, eq=False)
class TrialResult:
    """Record of what a trial left behind. The arrays are None where it failed; a pretraining has no
    test's, and its others are of the source's items and classes.

    Args:
        seconds: of training; 0 for a pretraining whose weights another job had trained.
        y_test, logits_test: labels (n,) and a network's outputs (n, K), before any activation, of
            the same n items in every trial.
        y_validation, logits_validation: (m,) and (m, K); m may be 0.
        logits_changed: of the validation items, changed, (m, K), where labels are hidden.
        first_epoch: metrics on validation after the first epoch on the target, if recorded.
        error: the failure as it is stored, with its `code`.
        depends_on: the id of the pretraining that it starts from, or of its search.
        epochs: trained, of all phases; None where that is not known.
        y_source, before_source, after_source: labels of the source's test items and the classes
            predicted before and after the transfer, (k,).
        outcome: of a scoring or a search.
        steps, head_steps: optimizer steps of the whole network, and of a head alone; None where
            that is not known.
        y_train, logits_train, logits_train_mode: (k,), (k, K) and (k, K), of items trained on, in
            inference and in training mode; y_train is None where labels are hidden.
        conditions: app.spec.figures.Conditions, as a mapping.
        groups_test: of the test items, (n,), equal for those that belong together, as those of one
            patient; None where each is by itself.
        slice_codes, slice_values, slice_sizes: of the test items, (n, columns), which value each
            has of each column of evaluation.slices; the names of all columns' values, one column
            after the other; and how many each has, (columns,).
        part_names, parts_missing: of items of several parts, (P,), and how many of the test items
            lack each; logits_without, logits_alone: outputs on the test items with each part
            hidden, and with all others hidden, (P, n, K).
        logits_unmoved: outputs of the source's network on the test items before anything of it
            moved, (n, K).
        suspects: (2,): training items left out because their labels are likely wrong, and those
            that stayed; None where none were looked for.
        rewritten: of a pretraining on rows written anew, (columns, 6): app.spec.rewritten_columns.
        shared_items: of an arm's first seed, (sources, 7): a source's place in the job; how many
            of the target's test items stand among its training items, of how many; the same of
            the target's training items; how many of its own have another that is equal, of how
            many. Sources with items of another shape are left out.
    """

    arm: str
    role: Role
    seed: int
    labels_per_class: int | None
    seconds: float
    y_test: Labels | None = None
    logits_test: Floats | None = None
    y_validation: Labels | None = None
    logits_validation: Floats | None = None
    logits_changed: Floats | None = None
    first_epoch: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    id: str = ""
    depends_on: str | None = None
    epochs: int | None = None
    y_source: Ints | None = None
    before_source: Ints | None = None
    after_source: Ints | None = None
    outcome: TrialOutcome | None = None
    steps: int | None = None
    head_steps: int | None = None
    y_train: Labels | None = None
    logits_train: Floats | None = None
    logits_train_mode: Floats | None = None
    conditions: Mapping[str, Any] | None = None
    groups_test: Ints | None = None
    slice_codes: NDArray[np.int16] | None = None
    slice_values: NDArray[np.str_] | None = None
    slice_sizes: NDArray[np.int64] | None = None
    suspects: Ints | None = None
    part_names: NDArray[np.str_] | None = None
    parts_missing: NDArray[np.int64] | None = None
    logits_without: Floats | None = None
    logits_alone: Floats | None = None
    logits_unmoved: Floats | None = None
    rewritten: NDArray[np.float64] | None = None
    shared_items: Ints | None = None

    def is_arm(self, arm: str, labels_per_class: int | None) -> bool:
        """Tells whether it is one of the arm's own trials, not a search for them."""
        same = (self.arm, self.labels_per_class) == (arm, labels_per_class)
        return same and self.role != "search"


@dataclass(frozen=True, eq=False)
class Measured:
    """One trial that succeeded: what it shares with others (`starts_of`), labels (n,), outputs
    (n, K) and `groups` (n,) of the test items, its metrics on test and validation."""

    result: TrialResult
    start: str | None
    y: Labels
    logits: Floats
    test: dict[str, float]
    validation: dict[str, float] | None
    groups: Ints | None = None

    @property
    def seed(self) -> int:
        return self.result.seed

    @property
    def validation_items(self) -> int:
        return 0 if self.result.y_validation is None else len(self.result.y_validation)


def measured(trial: TrialResult, start: str | None, measures: Measures) -> Measured:
    """Raises ValueError where the trial has no test predictions."""
    y, logits = trial.y_test, trial.logits_test
    if y is None or logits is None:
        raise ValueError(f"{trial.arm}, seed {trial.seed}: expected test predictions, got none")
    validation = None
    held_out, its_logits = trial.y_validation, trial.logits_validation
    if held_out is not None and its_logits is not None and len(held_out):
        validation = measures.measure(held_out, its_logits)
    test = measures.measure(y, logits)
    return Measured(trial, start, y, logits, test, validation, trial.groups_test)


@dataclass(frozen=True, eq=False)
class Evidence:
    """One arm's trials at one label budget that succeeded, in the order of their seeds; and what
    counts as one value of them, alone or paired with another arm's."""

    trials: tuple[Measured, ...]
    replicates: Replicates
    measures: Measures

    @property
    def y(self) -> Labels:
        """(n,)"""
        return self.trials[0].y

    @property
    def groups(self) -> Ints | None:
        """(n,), of the test items; None where each is by itself, and where they are one group, of
        which nothing tells how groups differ."""
        groups = self.trials[0].groups
        return None if groups is None or (groups == groups[0]).all() else groups

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(trial.seed for trial in self.trials)

    def test(self, metric: str) -> list[float]:
        """One value per replicate."""
        return self._means([trial.test[metric] for trial in self.trials])

    def validation(self, metric: str) -> list[float] | None:
        """One value per replicate; None where a trial had no validation items."""
        found = self._validated(metric)
        return None if found is None else self._means(found)

    @property
    def validation_items(self) -> int:
        """Over all seeds: each seed holds out items of its own."""
        return sum(trial.validation_items for trial in self.trials)

    def first_epoch(self, metric: str) -> list[float] | None:
        """One value per replicate; None where a trial did not record it."""
        recorded = [trial.result.first_epoch or {} for trial in self.trials]
        found = [float(values[metric]) for values in recorded if values.get(metric) is not None]
        return self._means(found) if len(found) == len(self.trials) else None

    def mean_length(self, unit: Literal["epochs", "steps", "head_steps"]) -> float | None:
        """Mean length of training, per trial; None where a trial's is not known."""
        found = [getattr(trial.result, unit) for trial in self.trials]
        return None if None in found else float(np.mean(found))

    @property
    def outputs(self) -> list[Floats]:
        """One (n, K) a seed."""
        return [trial.logits for trial in self.trials]

    def forgotten(self) -> tuple[list[float], list[float], list[float]] | None:
        """Accuracy on the source's test items before and after, and the change, one per replicate;
        the source's network counts once where all trials started from the same."""
        results = [trial.result for trial in self.trials]
        guesses = [
            result.before_source
            for result in results
            if result.before_source is not None and len(result.before_source)
        ]
        if not guesses or len(guesses) < len(self.trials):
            return None
        before, after = (
            self.replicates.means(
                [float(np.mean(getattr(result, name) == result.y_source)) for result in results]
            )
            for name in ("before_source", "after_source")
        )
        same = all(np.array_equal(guess, guesses[0]) for guess in guesses)
        return (before[:1] if same else before).tolist(), after.tolist(), (after - before).tolist()

    def best_seed(self, metric: str) -> int:
        """The trial to package: best on validation, the first of those that tie."""
        of = self.measures.task.metrics[metric]
        values = self._validated(metric)
        return self.seeds[int(np.argmax(of.sign * np.asarray(values))) if values else 0]

    def _means(self, values: Sequence[float]) -> list[float]:
        return [float(value) for value in self.replicates.means(values)]

    def _validated(self, metric: str) -> list[float] | None:
        """One value a seed; None where a trial had no validation items."""
        found = [trial.validation[metric] for trial in self.trials if trial.validation]
        return found if len(found) == len(self.trials) else None


def starts_of(trials: Sequence[TrialResult]) -> dict[TrialResult, str | None]:
    """Finds of each trial what it shares with others: its pretraining's id, which a search may
    stand before, or the network that the job was given and nothing was trained of; else None."""
    searched_from = {trial.id: trial.depends_on for trial in trials if trial.role == "search"}
    starts = {}
    for trial in trials:
        needed = trial.depends_on
        start = searched_from.get(needed, needed) if needed else None
        starts[trial] = start or (GIVEN if trial.epochs == 0 else None)
    return starts


def gather(
    trials: Sequence[TrialResult],
    arms: Sequence[str],
    labels_per_class: int | None,
    measures: Measures,
) -> dict[str, Evidence]:
    """Those of `arms` that have results at a label budget, in the order given. Nothing is measured
    where the test has no labels."""
    found: dict[str, Evidence] = {}
    starts = starts_of(trials)
    if not any(trial.y_test is not None for trial in trials):
        predicted = [trial for trial in trials if trial.logits_test is not None]
        trials = [] if predicted else trials
    for name in arms:
        of_arm = [
            measured(trial, starts[trial], measures)
            for trial in sorted(trials, key=attrgetter("seed"))
            if trial.is_arm(name, labels_per_class) and trial.error is None
        ]
        if of_arm:
            replicates = replicates_of([(trial,) for trial in of_arm])
            found[name] = Evidence(tuple(of_arm), replicates, measures)
    return found
