"""Pseudo-features: columns that a source lacks, predicted in its rows by what the target's rows
tell.

Levin et al., "Transfer learning with deep tabular models", ICLR 2023, arXiv:2206.15306, section 6:
a model is trained on the target's rows to predict the column from the shared ones, and the source's
rows get what it says; the network is then pretrained on all columns. Departures: ridge or logistic
regression, or small boosted trees, whichever predicts rows that were held out better, in place of a
network, which has no more to learn from a few hundred rows; and a column that these hardly tell is
not made up, but stays absent. The paper's other direction, columns that the target lacks, is not
here: it would put a model of the source's into whatever is served.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from threadpoolctl import threadpool_limits

from app.inputs.columns import CategoryColumn, Column, FlagColumn
from app.inputs.table import ROW, TableInputs
from worker.references.features import Matrix, rows_of
from worker.references.filling import Filling
from worker.references.models import TAKES_MISSING, model_of

Rows = NDArray[np.float32]  # (n, columns)
Predictor = Literal["linear", "boosting"]

MODELS: tuple[Predictor, ...] = ("linear", "boosting")
FOLDS = 5
LEAST_ROWS = 20  # with a value: of fewer nothing can be held out that would tell anything
# Of guessing's error, that predictions take away of held-out rows at the lower end of a 95 %
# interval, shared out between the models that the better one is chosen of
LEAST_SHARE = 0.1
SIGNIFICANCE = 0.05 / len(MODELS)


@dataclass(frozen=True, eq=False)
class FittedPredictor:
    filling: Filling
    model: Any

    @classmethod
    def fit(cls, name: Predictor, has_classes: bool, x: Matrix, y: NDArray[Any]) -> Self:
        filling = Filling.fit(x, name not in TAKES_MISSING)
        is_blind = not len(filling.taken) or len(np.unique(y)) < 2
        unfitted = model_of(name, has_classes, 0, is_blind)
        with threadpool_limits(1):
            return cls(filling, unfitted.fit(filling.apply(x), y))

    def values(self, x: Matrix) -> NDArray[Any]:
        with threadpool_limits(1):
            found: NDArray[Any] = self.model.predict(self.filling.apply(x))
        return found


@dataclass(frozen=True, eq=False)
class ColumnPrediction:
    """Prediction of a column, and how well it is predicted; `predictor` is None where it is not
    made up.

    `rows`: of the target, with a value. `quality`, `guessing`: R2 or accuracy on held-out rows;
    NaN of too few rows.
    """

    rows: int
    quality: float
    guessing: float
    predictor: FittedPredictor | None


@dataclass(frozen=True, eq=False)
class MadeUpRows:
    """Change of rows of joint columns: by the place of a column that a source lacks, what predicts
    it from those `known` to both."""

    columns: Sequence[Column]
    known: Sequence[int]
    predictions: Mapping[int, ColumnPrediction]

    @classmethod
    def fit(cls, columns: Sequence[Column], lacking: Sequence[int], target: Rows) -> Self:
        """Args:
        lacking: places of the columns that the source does not have.
        target: training rows in the joint columns.
        """
        known = [place for place in range(len(columns)) if place not in set(lacking)]
        x = _features(columns, known, target)
        return cls(
            columns, known, {at: _prediction(columns[at], x, target[:, at]) for at in lacking}
        )

    def applied(self, rows: Rows) -> Rows:
        """Rows (n, columns) -> the same with the columns that are made up."""
        found = rows.copy()
        if len(rows):
            x = _features(self.columns, self.known, rows)
            for place, prediction in self.predictions.items():
                if prediction.predictor:
                    found[:, place] = prediction.predictor.values(x)
        return found

    @property
    def told(self) -> NDArray[np.float64]:
        """(columns, 5), as app.spec.rewritten_columns has them without the source."""
        told = [
            (place, each.rows, each.quality, each.guessing, each.predictor is not None)
            for place, each in self.predictions.items()
        ]
        return np.array(told, np.float64).reshape(-1, 5)


def _features(columns: Sequence[Column], places: Sequence[int], rows: Rows) -> Matrix:
    shared = TableInputs(columns=tuple(columns[place] for place in places))
    return rows_of(shared, {ROW: rows[:, list(places)]})


def _prediction(column: Column, x: Matrix, values: NDArray[np.float32]) -> ColumnPrediction:
    has_classes = isinstance(column, CategoryColumn | FlagColumn)
    has_value = np.isfinite(values)
    x, y = x[has_value], values[has_value]
    y = y.astype(np.int64) if has_classes else y.astype(np.float64)
    if len(y) < LEAST_ROWS or len(np.unique(y)) < 2:
        return ColumnPrediction(len(y), np.nan, np.nan, None)
    guessed = _errors(None, has_classes, x, y)
    errors = {name: _errors(name, has_classes, x, y) for name in MODELS}
    best = min(MODELS, key=lambda name: float(errors[name].mean()))
    is_used = least_share(guessed, errors[best]) > LEAST_SHARE
    predictor = FittedPredictor.fit(best, has_classes, x, y) if is_used else None
    if has_classes:
        return ColumnPrediction(
            len(y), float(1 - errors[best].mean()), float(1 - guessed.mean()), predictor
        )
    quality = 1 - float(errors[best].mean()) / float(y.var())
    return ColumnPrediction(len(y), quality, 1 - float(guessed.mean()) / float(y.var()), predictor)


def least_share(guessed: NDArray[np.float64], errors: NDArray[np.float64]) -> float:
    """Returns the lower end of the interval of the share of guessing's error that is taken away;
    errors (n,), of the same rows."""
    less = guessed - errors
    t = stats.t.ppf(1 - SIGNIFICANCE / 2, len(less) - 1)
    least = less.mean() - t * less.std(ddof=1) / np.sqrt(len(less))
    return float(least / guessed.mean()) if guessed.mean() else -np.inf


def _errors(
    name: Predictor | None, has_classes: bool, x: Matrix, y: NDArray[Any]
) -> NDArray[np.float64]:
    """Errors (n,) of each row by a model that has not seen it: squared, or 0 and 1. Without a model
    of the mean, or the commonest value, of the rows that it has seen."""
    fold_of = np.random.default_rng(0).permutation(len(y)) % FOLDS
    said = np.empty(len(y), y.dtype)
    for fold in range(FOLDS):
        held, seen = fold_of == fold, fold_of != fold
        if name:
            said[held] = FittedPredictor.fit(name, has_classes, x[seen], y[seen]).values(x[held])
        else:
            said[held] = np.bincount(y[seen]).argmax() if has_classes else y[seen].mean()
    errors: NDArray[np.float64] = (said != y) * 1.0 if has_classes else (said - y) ** 2
    return errors
