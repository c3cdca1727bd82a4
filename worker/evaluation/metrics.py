"""Classification metrics. They are called each epoch, so everything is one pass of numpy."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.calibration import confidence_bins

Counts = NDArray[np.int64] | NDArray[np.float64]


class ClassCounts(NamedTuple):
    """Items per class, each (..., K): rightly predicted, of the class, predicted as it.

    All metrics here follow from these; a whole table of true by predicted classes takes K² numbers,
    and with 10,000 classes 800 MB.
    """

    hits: NDArray[np.int64]
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]

    @classmethod
    def of(cls, y: Ints, predicted: Ints, classes: int) -> Self:
        """Counts n items; y and predicted: classes, (n,)."""
        right = y[y == predicted]
        return cls(*(np.bincount(each, minlength=classes) for each in (right, y, predicted)))


def classification_metrics(y: Ints, logits: Floats) -> dict[str, float]:
    """loss (mean cross-entropy, nats), accuracy, precision_macro, recall_macro, f1_macro,
    balanced_accuracy and ece (15 bins), each over all n items.

    As in scikit-learn, the macro means run over the classes that stand in `y` or among the
    predictions, balanced accuracy over those in `y`, and a rate that is 0/0 counts as 0.

    Args:
        y: labels, (n,), 0 <= y < K.
        logits: (n, K).

    Raises:
        ValueError: there are no items, or a label lies outside the logits' classes.
    """
    log_probabilities = log_softmax(logits.astype(np.float64), axis=1)  # (n, K)
    loss_sum = -float(log_probabilities[np.arange(len(y)), y].sum())
    predicted = logits.argmax(axis=1)
    confidence = np.exp(log_probabilities.max(axis=1))
    counts = ClassCounts.of(y, predicted, logits.shape[1])
    metrics = metrics_from_counts(counts, loss_sum, len(y))
    return {**metrics, "ece": confidence_bins(predicted == y, confidence).error}


def metrics_from_counts(counts: ClassCounts, loss_sum: float, n: int) -> dict[str, float]:
    """The same metrics but `ece`, from an epoch's running sums.

    Args:
        loss_sum: cross-entropy summed over the n items, nats.
        n: number of items, those of `counts`.
    """
    if n < 1:
        raise ValueError("metrics: expected at least 1 item, got 0")
    rates = rates_from_counts(*counts)
    return {"loss": loss_sum / n, **{name: float(rate) for name, rate in rates.items()}}


def confusion(y: Ints, predicted: Ints, classes: int) -> NDArray[np.int64]:
    """Counts, (classes, classes): rows are true classes, columns predicted ones."""
    cells = np.bincount(y.astype(np.int64) * classes + predicted, minlength=classes**2)
    return cells.reshape(classes, classes)


def rates_from_counts(hits: Counts, true: Counts, predicted: Counts) -> dict[str, Floats]:
    """accuracy, precision_macro, recall_macro, f1_macro, balanced_accuracy, each (...).

    Args:
        hits: items of a class that were predicted as it, (..., K).
        true: items of a class, (..., K).
        predicted: items predicted as a class, (..., K).
    """
    precision, recall, f1 = class_rates(hits, true, predicted)
    present = (true + predicted > 0).sum(axis=-1)
    return {
        "accuracy": hits.sum(axis=-1) / true.sum(axis=-1),
        "precision_macro": precision.sum(axis=-1) / present,
        "recall_macro": recall.sum(axis=-1) / present,
        "f1_macro": f1.sum(axis=-1) / present,
        "balanced_accuracy": recall.sum(axis=-1) / (true > 0).sum(axis=-1),
    }


def class_rates(hits: Counts, true: Counts, predicted: Counts) -> tuple[Floats, Floats, Floats]:
    """precision, recall and F1 of each class, (..., K); 0 where a rate is 0/0."""
    return (
        _ratio(hits, predicted),
        _ratio(hits, true),
        _ratio(2 * hits, true + predicted),
    )


def _ratio(part: Counts, whole: Counts) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)
