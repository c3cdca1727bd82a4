"""Several labels of an item: a model for each label, as if the others were not there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PerLabel:
    """`models`: one a label, which tell 0 from 1; one that saw either alone answers just that."""

    models: tuple[Any, ...]

    @classmethod
    def fit(cls, x: Any, y: NDArray[Any], model_of: Callable[[bool], Any]) -> Self:
        """
        Args:
            x: (n, features), sparse or not.
            y: (n, labels), 0 and 1.
            model_of: an estimator that is not yet fitted; of a label that all rows have, or none,
                where it is given True.
        """
        return cls(tuple(model_of(len(np.unique(each)) < 2).fit(x, each) for each in y.T))

    def predict_proba(self, x: Any) -> NDArray[np.float32]:
        """(n, labels): how likely an item has each label."""
        found = np.zeros((x.shape[0], len(self.models)), np.float32)
        for place, model in enumerate(self.models):
            if 1 in model.classes_:
                found[:, place] = model.predict_proba(x)[:, list(model.classes_).index(1)]
        return found
