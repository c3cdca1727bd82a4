"""The default network for tables against boosted trees: all labels, no transfer.

    python -m benchmarks.tables        (all), or names, as: heart german digits

Five folds, the same for all, stratified; each method learns on four and is asked of the fifth. The
network is what `auto` makes of a table, trained by the engine as the scratch arm is, with a tenth
of its training rows held out; its columns are fitted on the training rows. The rivals are
scikit-learn's HistGradientBoosting at its defaults, and as small tables want it (6 leaves, 150
trees, rate .04), both with native categories. AUC (of several classes the mean of one against the
rest) or RMSE: means over the folds, 2 seeds of the network. Seconds are of one fold's training on
this machine, the network's without compiling: its second fold on.

Defaults were chosen on `TUNED`, never on `REPORTED`. Shared data in KTL_TEST_DATA or
../shared/data; what is absent is left out and said so.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold

from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, Column, NumberColumn
from app.inputs.table import TableInputs
from app.spec.backbones import CATALOGUE
from app.spec.figures import Conditions
from app.spec.spec import ResolvedSpec
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from worker.evaluation.measures import measures_of
from worker.objectives import objective_of
from worker.training.checkpoint import Checkpoint
from worker.training.data import Domain, Split, cut_validation
from worker.training.items import Items
from worker.training.predict import logits
from worker.training.run import train
from worker.training.setup import EpochRecord, Signal, TrialSetup

DATA = Path(os.environ.get("KTL_TEST_DATA", "../shared/data"))
FOLDS, SEEDS = 5, 2
SMALL = {"max_leaf_nodes": 6, "max_iter": 150, "learning_rate": 0.04}
Values = NDArray[np.float64]


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


@dataclass
class Journal:
    seconds: float = 0.0

    def signal(self) -> Signal | None:
        return None

    def computed_by(self, conditions: Conditions) -> None:
        pass

    def moved(self, progress: float) -> None:
        pass

    def epoch_ended(
        self, records: list[EpochRecord], progress: float, snapshot: Callable[[], Checkpoint]
    ) -> None:
        self.seconds += sum(each.values["seconds"] for each in records)


def spec(model: dict[str, Any], training: dict[str, Any]) -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target"},
            "model": model,
            "strategies": [{"name": "fine_tune"}],
            "training": training,
        }
    )


def network(
    task: Task, learnt: NDArray[np.int64], asked: NDArray[np.int64], job: ResolvedSpec, seed: int
) -> tuple[NDArray[Any], float]:
    """What the network says of the rows `asked`, and the seconds of its training."""
    inputs = fitted(task, task.x.iloc[learnt], bool(job.training.hidden_columns))
    y = task.y[learnt]
    if task.is_regression:
        y = y.astype(np.float32)
        asks: Any = Regression(mean=float(y.mean()), std=float(y.std()))
        counts: tuple[int, ...] = (len(y),)
    else:
        y = y.astype(np.int32)
        counts = tuple(np.bincount(y).tolist())
        asks = Classification(classes=tuple(str(k) for k in range(len(counts))))
    schema = Schema(
        inputs=inputs,
        task=asks,
        splits={"train": len(y), "test": 0},
        class_counts={"train": counts, "test": (0,) * len(counts)},
    )
    split = Split.stored(Items.of({"row": stored(inputs, task.x.iloc[learnt])}), y)
    strata = measures_of(asks).strata(y, seed)
    rows, held_out = cut_validation(strata, job.training.validation_fraction, seed)
    job = job.model_copy(update={"training": job.training.on(len(rows))})
    domain = Domain(schema, split.select(rows), split.select(held_out))
    journal = Journal()
    trained = train(TrialSetup(job, "baseline", None, seed, domain), journal)
    outputs = logits(trained, Items.of({"row": stored(inputs, task.x.iloc[asked])}))
    said = np.asarray(objective_of(asks).activate(outputs))
    return said[:, 0] if task.is_regression else said, journal.seconds


def fitted(task: Task, x: pd.DataFrame, learns_missing: bool = False) -> TableInputs:
    columns: list[Column] = []
    for name in x:
        if name in task.categories:
            counts = x[name].dropna().map(_text).value_counts()
            misses = bool(x[name].isna().any())
            found: Column = CategoryColumn.fit(
                str(name), [*counts.index], [*counts.to_numpy()], misses
            )
        else:
            found = NumberColumn.fit(str(name), x[name].to_numpy(float))
        columns.append(found.model_copy(update={"misses": True}) if learns_missing else found)
    return TableInputs(columns=tuple(columns))


def stored(inputs: TableInputs, x: pd.DataFrame) -> NDArray[np.float32]:
    rows = np.full((len(x), len(inputs.columns)), np.nan, np.float32)
    for place, column in enumerate(inputs.columns):
        for row, value in enumerate(x[column.name]):
            if not pd.isna(value):
                read = _text(value) if isinstance(column, CategoryColumn) else float(value)
                rows[row, place] = column.read(read)
    return rows


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def trees(
    task: Task, learnt: NDArray[np.int64], asked: NDArray[np.int64], seed: int, **how: Any
) -> tuple[NDArray[Any], float]:
    kind = HistGradientBoostingRegressor if task.is_regression else HistGradientBoostingClassifier
    x = task.x.astype(dict.fromkeys(task.categories, "category"))
    model = kind(random_state=seed, categorical_features=[*task.categories] or None, **how)
    began = time.perf_counter()
    model.fit(x.iloc[learnt], task.y[learnt])
    seconds = time.perf_counter() - began
    said = model.predict if task.is_regression else model.predict_proba
    return said(x.iloc[asked]), seconds


@dataclass(frozen=True)
class Found:
    """Scores (folds × seeds,) and seconds of one training."""

    scores: list[float]
    seconds: float

    @property
    def mean(self) -> float:
        return float(np.mean(self.scores))


Method = Callable[[NDArray[np.int64], NDArray[np.int64], int], tuple[NDArray[Any], float]]


def measured(task: Task, method: Method, seeds: int) -> Found:
    scores, seconds = [], []
    for learnt, asked in task.folds():
        for seed in range(seeds):
            said, took = method(learnt, asked, seed)
            scores.append(task.score(asked, said))
            seconds.append(took)
    return Found(scores, float(np.median(seconds)))


def of_network(task: Task, job: ResolvedSpec, seeds: int = SEEDS) -> Found:
    return measured(task, lambda a, b, seed: network(task, a, b, job, seed), seeds)


def main() -> None:
    wanted = {**REPORTED, **TUNED}
    names = sys.argv[1:] or [*wanted]
    entry = CATALOGUE["tabm"]
    figures: dict[str, float] = {}
    ratios: dict[str, float] = {}
    behind: list[float] = []
    for name in (each for each in wanted if any(each.startswith(begin) for begin in names)):
        try:
            task = wanted[name]()
        except FileNotFoundError as error:
            print(f"{name}: left out, there is no {error.filename}")
            continue
        lacks = bool(task.x.isna().any(axis=None))
        recipe = {**entry.recipe, **({} if lacks else {"hidden_columns": 0.0})}
        job = spec({"backbone": "tabm"}, recipe)
        found = {
            "network": of_network(task, job),
            "trees": measured(task, lambda a, b, s: trees(task, a, b, s), 1),  # noqa: B023
            "small_trees": measured(task, lambda a, b, s: trees(task, a, b, s, **SMALL), 1),  # noqa: B023
        }
        best = (min if task.is_regression else max)(found[n].mean for n in ("trees", "small_trees"))
        mine, theirs = found["network"].mean, found["trees"].mean
        # In points of AUC, or of two percent of RMSE.
        behind.append(50 * (mine / theirs - 1) if task.is_regression else 100 * (theirs - mine))
        ratios[f"{name}_seconds"] = round(found["network"].seconds / found["trees"].seconds, 2)
        figures |= {f"{name}_{method}": round(each.mean, 4) for method, each in found.items()}
        words = ", ".join(
            f"{m} {each.mean:.4f} ({each.seconds:.2f} s)" for m, each in found.items()
        )
        print(f"{name}: {words}; best of the trees {best:.4f}", flush=True)
    if behind:
        figures["behind_points"] = round(float(np.mean(behind)), 3)
        print(f"behind HistGradientBoosting by {figures['behind_points']:+.2f} points on the mean")
    print(json.dumps({"benchmark": "tables", "ratios": ratios, "figures": figures}))


if __name__ == "__main__":
    main()
