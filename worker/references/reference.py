"""One reference: fitted on a trial's training items, asked for its validation and test items."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from app.datasets.schemas import Schema
from app.spec.references import PlannedReference
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from app.tensors import Tensors
from worker.references.features import Matrix, rows_of
from worker.references.filling import Filling
from worker.references.models import TAKES_MISSING, model_of
from worker.references.per_label import PerLabel
from worker.references.trees import LEAST_PROBABILITY
from worker.training.data import Split
from worker.training.setup import TrialSetup

Array = NDArray[np.float32]

MOST_ROWS = 100_000  # that a model is fitted on, drawn by the trial's seed


@dataclass(frozen=True, eq=False)
class ReferenceModel(ABC):
    """A fitted model of scikit-learn.

    `tells_domains`: the last feature is 1 for items of the target and 0 for the source's. `rows`:
    that it was fitted on, of `of_rows`.
    """

    model: Any
    schema: Schema
    tells_domains: bool
    rows: int
    of_rows: int

    @abstractmethod
    def features(self, items: Tensors) -> Any:
        """Raw items of the target (n, …) -> what the model takes, (n, features)."""

    def outputs(self, split: Split) -> Array:
        """(n, K) as a network has them: logarithms of probabilities, logits of several labels, or
        standardised quantities."""
        answers, task = self.answers(split.items.read()), self.schema.task
        if isinstance(task, Regression):
            return ((answers - task.mean) / task.std).astype(np.float32)
        likely = np.maximum(answers, LEAST_PROBABILITY)
        if isinstance(task, MultiLabel):
            likely = likely / np.maximum(1 - answers, LEAST_PROBABILITY)
        return np.log(likely).astype(np.float32)

    def answers(self, items: Tensors) -> Array:
        """Raw items (n, …) -> probabilities (n, K), or quantities (n, 1) in the user's unit."""
        x = self.features(items)
        count = x.shape[0]
        with threadpool_limits(1):
            if isinstance(self.schema.task, Regression):
                values = self.model.predict(x) if count else np.empty(0)
                return values[:, None].astype(np.float32)
            found = np.zeros((count, self.schema.task.outputs), np.float32)
            if isinstance(self.model, PerLabel):
                return self.model.predict_proba(x) if count else found
            if count:
                found[:, self.model.classes_] = self.model.predict_proba(x)
            return found


@dataclass(frozen=True, eq=False)
class FittedReference(ReferenceModel):
    """Reference of items that are rows of numbers."""

    filling: Filling

    @classmethod
    def fit(cls, reference: PlannedReference, setup: TrialSetup) -> Self:
        """Fits on the training items, without those held out for validation."""
        taken = training_rows(reference, setup)
        schema, tells = setup.target.schema, reference.rows == "both"
        parts = [
            _rows(schema, split.items.read(), domain if tells else None)
            for split, domain in zip(taken.splits, taken.domains, strict=True)
        ]
        x, y = np.concatenate(parts), np.concatenate([split.y for split in taken.splits])
        filling = Filling.fit(x, reference.model not in TAKES_MISSING)
        is_empty, several = not len(filling.taken), isinstance(schema.task, MultiLabel)
        has_classes = schema.task.has_classes or several

        def unfitted(is_blind: bool) -> Any:
            return model_of(reference.model, has_classes, setup.seed, is_empty or is_blind)

        with threadpool_limits(1):  # a slot is a core: threads of several slots wait for each other
            if several:
                model: Any = PerLabel.fit(filling.apply(x), y, unfitted)
            else:
                model = unfitted(len(np.unique(y)) < 2).fit(filling.apply(x), y)
        return cls(model, schema, tells, len(x), taken.of_rows, filling)

    @property
    def is_boosted(self) -> bool:
        """Tells whether its trees add up to logits, and not to probabilities."""
        models = self.model.models if isinstance(self.model, PerLabel) else (self.model,)
        boosted = HistGradientBoostingClassifier | HistGradientBoostingRegressor
        return any(isinstance(model, boosted) for model in models)

    def features(self, items: Tensors) -> Matrix:
        return self.filling.apply(_rows(self.schema, items, 1.0 if self.tells_domains else None))


class Taken(NamedTuple):
    """Items that a reference is fitted on: the source's items, where it takes them, before the
    target's.

    `domains`: of each split, 0 for the source's, 1 for the target's where both are there.
    """

    splits: list[Split]
    domains: list[float]
    of_rows: int


def training_rows(reference: PlannedReference, setup: TrialSetup) -> Taken:
    """Items that have a label; of many an equal share of each split, drawn by the trial's seed."""
    splits = []
    if reference.rows != "target" and setup.source is not None:
        splits.append(setup.source.train)
    if reference.rows != "source":
        splits.append(setup.target.train)
    known = [each.select(np.flatnonzero(each.known)) for each in splits]
    counts = [len(each) for each in known]
    drawn = _drawn(counts, setup.seed)
    taken = [each.select(rows) for each, rows in zip(known, drawn, strict=True)]
    return Taken(taken, [float(place) for place in range(len(taken))], sum(counts))


def _rows(schema: Schema, items: Tensors, domain: float | None) -> Matrix:
    rows = rows_of(schema.inputs, items)
    if domain is None:
        return rows
    return np.concatenate([rows, np.full((len(rows), 1), domain, np.float32)], axis=1)


def _drawn(counts: list[int], seed: int) -> list[NDArray[np.int64]]:
    """Rows of each split, ascending: all, or an equal share of as many as a model is fitted on."""
    share = min(1.0, MOST_ROWS / sum(counts)) if sum(counts) else 1.0
    return [
        np.sort(
            np.random.default_rng([seed, place]).permutation(count)[: max(1, int(share * count))]
        )
        for place, count in enumerate(counts)
    ]
