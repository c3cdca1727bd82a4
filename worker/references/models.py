"""The models, each from rows (n, features), float32, with NaN where a number is missing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from app.spec.references import ReferenceModel

TREES, LEAVES, BOOSTS, RATE = 200, 6, 150, 0.04
MOST_STEPS = 2000  # of the logistic regression's solver


def model_of(name: ReferenceModel, has_classes: bool, seed: int, is_blind: bool = False) -> Any:
    """An estimator that is not yet fitted. `is_blind`: there is nothing to learn, one class alone
    or no column with a value; then it answers what is commonest."""
    if is_blind:
        return DummyClassifier() if has_classes else DummyRegressor()
    match name:
        case "linear":
            linear = LogisticRegression(max_iter=MOST_STEPS) if has_classes else Ridge()
            return _filled(StandardScaler(), linear)
        case "forest":
            forest = RandomForestClassifier if has_classes else RandomForestRegressor
            return _filled(forest(TREES, random_state=seed))
        case "boosting":
            boosting = (
                HistGradientBoostingClassifier if has_classes else HistGradientBoostingRegressor
            )
            return boosting(**_small(seed))


def _filled(*steps: Any) -> Any:
    """After what is missing was filled with the training rows' median, and said to be missing."""
    return make_pipeline(SimpleImputer(strategy="median", add_indicator=True), *steps)


def _small(seed: int) -> dict[str, Any]:
    """As small tables want them: those of scikit-learn's defaults lose to a linear model there."""
    return {
        "max_leaf_nodes": LEAVES,
        "max_iter": BOOSTS,
        "learning_rate": RATE,
        "early_stopping": False,
        "random_state": seed,
    }


def known_columns(rows: NDArray[Any]) -> NDArray[np.bool_]:
    """Columns (features,) with a value in any row: models fail on others, or drop them."""
    known: NDArray[np.bool_] = ~np.isnan(rows).all(axis=0)
    return known
