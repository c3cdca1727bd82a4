"""The models, each from rows (n, features), float32."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from app.spec.references import ReferenceModel

TREES, LEAVES, BOOSTS, RATE = 200, 6, 150, 0.04
TAKES_MISSING: frozenset[ReferenceModel] = frozenset({"boosting"})
MOST_STEPS = 2000  # of the logistic regression's solver


def model_of(name: ReferenceModel, has_classes: bool, seed: int, is_blind: bool = False) -> Any:
    """An estimator that is not yet fitted. `is_blind`: there is nothing to learn, one class alone
    or no column with a value; then it answers what is commonest."""
    if is_blind:
        return DummyClassifier() if has_classes else DummyRegressor()
    match name:
        case "linear":
            linear = LogisticRegression(max_iter=MOST_STEPS) if has_classes else Ridge()
            return make_pipeline(NumbersScaled(), linear)
        case "forest":
            forest = RandomForestClassifier if has_classes else RandomForestRegressor
            return forest(TREES, random_state=seed)
        case "boosting":
            boosting = (
                HistGradientBoostingClassifier if has_classes else HistGradientBoostingRegressor
            )
            return boosting(**_small(seed))


class NumbersScaled(StandardScaler):  # type: ignore[misc]  # scikit-learn has no types
    """Standardises features, but for those of 0 and 1 alone: a bit that one row in a hundred has
    would weigh ten times as much."""

    def fit(self, x: NDArray[Any], y: Any = None, sample_weight: Any = None) -> Self:
        super().fit(x, y, sample_weight)
        is_bit = ((x == 0) | (x == 1)).all(axis=0)
        self.mean_ = np.where(is_bit, 0.0, self.mean_)  # type: ignore[has-type]
        self.scale_ = np.where(is_bit, 1.0, self.scale_)  # type: ignore[has-type]
        return self


def _small(seed: int) -> dict[str, Any]:
    """Settings as small tables want them: those of scikit-learn's defaults lose to a linear model
    there."""
    return {
        "max_leaf_nodes": LEAVES,
        "max_iter": BOOSTS,
        "learning_rate": RATE,
        "early_stopping": False,
        "random_state": seed,
    }
