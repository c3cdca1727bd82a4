"""Tables that networks are measured on, and their folds: those that defaults were chosen on, and
those that are reported. Shared data in KTL_TEST_DATA or ../shared/data."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold

DATA = Path(os.environ.get("KTL_TEST_DATA", "../shared/data"))
FOLDS = 5


@dataclass(frozen=True)
class Task:
    """`numbers` and `categories`: the columns of `x`; `y`: classes from 0, or quantities."""

    x: pd.DataFrame
    y: NDArray[Any]
    categories: tuple[str, ...] = ()
    is_regression: bool = False

    def folds(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        cut = KFold if self.is_regression else StratifiedKFold
        folds = cut(FOLDS, shuffle=True, random_state=0)
        yield from folds.split(self.x, None if self.is_regression else self.y)

    def score(self, rows: NDArray[np.int64], said: NDArray[Any]) -> float:
        """AUC, or RMSE; `said` (n, classes) or (n,)."""
        if self.is_regression:
            return float(np.sqrt(np.mean((said - self.y[rows]) ** 2)))
        asked = said[:, 1] if said.shape[1] == 2 else said
        return float(roc_auc_score(self.y[rows], asked, multi_class="ovr"))


def heart(hospital: str | None) -> Task:
    table = pd.read_csv(DATA / "tab_heart_disease_4_hospitals.csv.gz")
    if hospital:
        table = table[table["hospital"] == hospital]
    y = (table["num"] > 0).to_numpy(int)
    x = table.drop(columns=["num", "hospital"])
    x = x[[name for name in x if x[name].notna().any()]].reset_index(drop=True)
    named = ("sex", "cp", "fbs", "restecg", "exang", "slope", "thal")
    return Task(x, y, tuple(name for name in named if name in x))


def german() -> Task:
    table = pd.read_csv(DATA / "tab_german_credit.csv.gz")
    label = "credit_risk"
    x = table.drop(columns=[label])
    named = tuple(str(name) for name in x if not pd.api.types.is_numeric_dtype(x[name]))
    return Task(x, (table[label] == 2).to_numpy(int), named)


def australian() -> Task:
    table = pd.read_csv(DATA / "tab_australian_credit.csv.gz")
    named = ("A1", "A4", "A5", "A6", "A8", "A9", "A11", "A12")
    return Task(table.drop(columns=["label"]), table["label"].to_numpy(int), named)


def of_sklearn(load: Callable[..., Any], is_regression: bool = False) -> Task:
    bunch = load(as_frame=True)
    return Task(bunch.data, bunch.target.to_numpy(), (), is_regression)


def steps(seed: int, items: int = 800) -> Task:
    """Made up: thresholds of numbers, interacting with categories, a tenth of values missing."""
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(rng.normal(size=(items, 6)) ** 3, columns=[f"n{i}" for i in range(6)])
    for number, count in enumerate((2, 4, 8)):
        x[f"c{number}"] = rng.integers(0, count, items).astype(str)
    effect = rng.normal(size=8)
    logit = 2.0 * (x["n0"] > 0.3) - 1.5 * (x["n1"].abs() < 0.5) + (x["n2"] > 0) * (x["c0"] == "1")
    logit += effect[x["c2"].astype(int)] + 0.5 * np.tanh(x["n3"]) * (x["c1"] == "2") - 0.5
    y = (rng.random(items) < 1 / (1 + np.exp(-1.5 * logit.to_numpy()))).astype(int)
    x.iloc[:, :6] = x.iloc[:, :6].mask(rng.random((items, 6)) < 0.1)
    return Task(x, y, ("c0", "c1", "c2"))


def curves(seed: int, items: int = 600) -> Task:
    """Friedman's first function (1991), ten numbers of which five matter, noise of 1."""
    x, y = datasets.make_friedman1(items, 10, noise=1.0, random_state=seed)
    return Task(pd.DataFrame(x, columns=[f"n{i}" for i in range(10)]), y, (), True)


TUNED: dict[str, Callable[[], Task]] = {
    "breast_cancer": lambda: of_sklearn(datasets.load_breast_cancer),
    "wine": lambda: of_sklearn(datasets.load_wine),
    "diabetes": lambda: of_sklearn(datasets.load_diabetes, True),
    "digits": lambda: of_sklearn(datasets.load_digits),
    "steps": lambda: steps(0),
    "curves": lambda: curves(0),
}
REPORTED: dict[str, Callable[[], Task]] = {
    "heart_cleveland": lambda: heart("cleveland"),
    "heart_all": lambda: heart(None),
    "german": german,
    "australian": australian,
}
