"""One arm's evidence: its trials, measured on the items that they predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.jobs.plan import Role
from app.jobs.report import CalibrationOut, ClassMetrics
from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.calibration import Calibration, calibrate
from worker.evaluation.metrics import class_rates, classification_metrics, confusion

FEWEST_VALIDATION_ITEMS = 20  # with fewer the standard error of an accuracy is above 0.1


@dataclass(frozen=True, eq=False)
class TrialResult:
    """What a trial left behind. The arrays are None where it failed, and for a pretraining.

    Args:
        seconds: of training.
        y_test, logits_test: (n,) and (n, K), the same n items in every trial.
        y_validation, logits_validation: (m,) and (m, K); m may be 0.
        first_epoch: metrics on validation after the first epoch on the target, if recorded.
        error: the failure as it is stored, with its `code`.
    """

    arm: str
    role: Role
    seed: int
    labels_per_class: int | None
    seconds: float
    y_test: Ints | None = None
    logits_test: Floats | None = None
    y_validation: Ints | None = None
    logits_validation: Floats | None = None
    first_epoch: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class Measured:
    """One trial: predicted classes (n,), confusion (K, K), its metrics on test and validation."""

    seed: int
    seconds: float
    first_epoch: Mapping[str, Any] | None
    y: Ints
    predicted: Ints
    confusion: NDArray[np.int64]
    test: dict[str, float]
    validation: dict[str, float] | None
    validation_items: int
    calibration: Calibration | None


def measure(trial: TrialResult) -> Measured:
    """Raises ValueError where the trial has no test predictions."""
    y, logits = trial.y_test, trial.logits_test
    if y is None or logits is None:
        raise ValueError(f"{trial.arm}, seed {trial.seed}: expected test predictions, got none")
    predicted = logits.argmax(axis=1)
    validation, calibration = None, None
    y_validation, logits_validation = trial.y_validation, trial.logits_validation
    items = 0 if y_validation is None else len(y_validation)
    if y_validation is not None and logits_validation is not None and items:
        validation = classification_metrics(y_validation, logits_validation)
        if items >= FEWEST_VALIDATION_ITEMS:
            calibration = calibrate(y_validation, logits_validation, y, logits)
    return Measured(
        seed=trial.seed,
        seconds=trial.seconds,
        first_epoch=trial.first_epoch,
        y=y,
        predicted=predicted,
        confusion=confusion(y, predicted, logits.shape[1]),
        test=classification_metrics(y, logits),
        validation=validation,
        validation_items=items,
        calibration=calibration,
    )


@dataclass(frozen=True, eq=False)
class Evidence:
    """One arm's trials that succeeded, in the order of their seeds."""

    trials: tuple[Measured, ...]

    @property
    def y(self) -> Ints:
        """(n,)"""
        return self.trials[0].y

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(trial.seed for trial in self.trials)

    def of(self, seeds: Sequence[int]) -> "Evidence":
        return Evidence(tuple(trial for trial in self.trials if trial.seed in seeds))

    def test(self, metric: str) -> list[float]:
        """One value a seed."""
        return [trial.test[metric] for trial in self.trials]

    def validation(self, metric: str) -> list[float] | None:
        """One value a seed; None where a trial had no validation items."""
        found = [trial.validation[metric] for trial in self.trials if trial.validation]
        return found if len(found) == len(self.trials) else None

    @property
    def validation_items(self) -> int:
        """Over all seeds: each seed holds out items of its own."""
        return sum(trial.validation_items for trial in self.trials)

    def first_epoch(self, metric: str) -> list[float] | None:
        """One value a seed; None where a trial did not record it."""
        found = [
            float(trial.first_epoch[metric])
            for trial in self.trials
            if trial.first_epoch and trial.first_epoch.get(metric) is not None
        ]
        return found if len(found) == len(self.trials) else None

    def predictions(self) -> Ints:
        """(seeds, n)"""
        return np.stack([trial.predicted for trial in self.trials])

    def best_seed(self, metric: str) -> int:
        """The trial to package: best on validation, the first of those that tie."""
        values = self.validation(metric)
        return self.seeds[int(np.argmax(values)) if values else 0]

    def confusion(self) -> NDArray[np.int64]:
        """Summed over seeds, (K, K)."""
        return np.asarray(sum(trial.confusion for trial in self.trials))

    def per_class(self, classes: Sequence[str]) -> list[ClassMetrics]:
        """Means over seeds."""
        counts = np.stack([trial.confusion for trial in self.trials])  # (seeds, K, K)
        hits, true, predicted = counts.diagonal(axis1=1, axis2=2), counts.sum(2), counts.sum(1)
        precision, recall, f1 = (rate.mean(axis=0) for rate in class_rates(hits, true, predicted))
        return [
            ClassMetrics(
                label=label,
                precision=float(precision[k]),
                recall=float(recall[k]),
                f1=float(f1[k]),
                support=int(true[0, k]),
            )
            for k, label in enumerate(classes)
        ]

    def calibration(self) -> CalibrationOut | None:
        """Means over seeds."""
        found = [astuple(trial.calibration) for trial in self.trials if trial.calibration]
        if len(found) < len(self.trials):
            return None
        temperature, before, after = np.mean(found, axis=0).tolist()
        return CalibrationOut(temperature=temperature, ece_before=before, ece_after=after)
