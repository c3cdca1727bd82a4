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
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, Column, NumberColumn
from app.inputs.table import TableInputs
from app.spec.backbones import CATALOGUE
from app.spec.figures import Conditions
from app.spec.spec import ResolvedSpec
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from benchmarks._tables import REPORTED, TUNED, Task
from worker.evaluation.measures import measures_of
from worker.objectives import objective_of
from worker.training.checkpoint import Checkpoint
from worker.training.data import Domain, Split, cut_validation
from worker.training.items import Items
from worker.training.predict import outputs_of
from worker.training.run import train
from worker.training.setup import EpochRecord, Signal
from worker.trials.engine_setup import engine_setup

SEEDS = 2
SMALL = {"max_leaf_nodes": 6, "max_iter": 150, "learning_rate": 0.04}


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
    trained = train(engine_setup(job, "baseline", None, seed, domain), journal)
    outputs = outputs_of(trained, Items.of({"row": stored(inputs, task.x.iloc[asked])}))
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
