"""Rows of a source table written anew for its target: numbers on the target's scale, columns that
it lacks made up. Tables whose truth is known.

    python -m benchmarks.rewritten_tables [NAME …] [--seeds 10]

A network is trained as a job's pretraining is, on 270 rows of the first table as they are and as an
arm has them, and asked of 300 rows of the second. 300 other rows of the second, without labels, are
what the first's are written anew by. AUC, means; of each arm its gain over the rows as they are,
with a 95 % t-interval over the seeds, of which each draws tables of its own.

Both tables are `clinics` of benchmarks/shifted_tables.py: 12 columns of 4 hidden factors; the
second has other patients (its factors are shifted, its prevalence is another).
scaled:  same      the second measures as the first does: nothing is to be gained
         units     8 numbers of the second are in other units: y = a x + b
         devices   they go through a curve: y = a sinh(x / 2) + b
made up: function  the second has a column that the first lacks: the mean of the first two of four
                   factors with a little noise, of which the shared columns are poor readings
         proxy     the first's strongest number is missing in 90 % of the second's rows, and they
                   have a close reading of it under another name
         noise     the second has a column of noise
"""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import roc_auc_score

from app.datasets.schemas import Schema
from app.inputs.joint_columns import SourceColumns, adopted, joint_inputs
from app.spec.backbones import CATALOGUE
from app.spec.spec import ResolvedSpec
from app.spec.strategies import Rewriting
from app.tasks.classification import Classification
from benchmarks._tables import Task
from benchmarks.shifted_tables import clinics
from benchmarks.tables import Journal, fitted, spec, stored
from worker.inputs.scaled_rows import ScaledRows
from worker.references.made_up_rows import MadeUpRows
from worker.training.data import Domain, Split, cut_validation
from worker.training.items import Items
from worker.training.predict import outputs_of
from worker.training.run import train
from worker.trials.engine_setup import engine_setup

STEPS, ADAPTED = 100, 300
NUMBERS = [f"c{number}" for number in range(8)]
Pair = tuple[Task, Task]


def same(seed: int) -> Pair:
    return clinics(seed)


def units(seed: int) -> Pair:
    rng = np.random.default_rng([seed, 7])
    factors, offsets = np.exp(rng.normal(0, 1, 8)), rng.normal(0, 5, 8)
    return _measured(clinics(seed), lambda x, n: factors[n] * x + offsets[n])


def devices(seed: int) -> Pair:
    rng = np.random.default_rng([seed, 7])
    factors, offsets = np.exp(rng.normal(0, 1, 8)), rng.normal(0, 5, 8)
    return _measured(clinics(seed), lambda x, n: factors[n] * np.sinh(x / 2) + offsets[n])


def _measured(pair: Pair, curve: Callable[[Any, int], Any]) -> Pair:
    first, second = pair
    x = second.x.copy()
    for number, name in enumerate(NUMBERS):
        x[name] = curve(x[name], number)
    return first, Task(x, second.y, second.categories)


def function(seed: int) -> Pair:
    rng = np.random.default_rng([seed, 8])

    def clinic(items: int, shift: float, bias: float) -> Task:
        z = rng.normal(size=(items, 4)) + shift
        told = z[:, 0] + z[:, 1]
        y = (rng.random(items) < 1 / (1 + np.exp(bias - 1.5 * told))).astype(int)
        x = pd.DataFrame({f"c{n}": z[:, n % 4] + rng.normal(0, 1.5, items) for n in range(8)})
        x["w"] = told / 2 + rng.normal(0, 0.1, items)
        return Task(x, y)

    first, second = clinic(270, 0.0, 0.2), clinic(600, 0.3, -0.3)
    return Task(first.x.drop(columns="w"), first.y), second


def proxy(seed: int) -> Pair:
    first, second = clinics(seed)
    rng = np.random.default_rng([seed, 9])
    aucs = [abs(roc_auc_score(first.y, first.x[name]) - 0.5) for name in NUMBERS]
    best = NUMBERS[int(np.argmax(aucs))]
    x = second.x.copy()
    x["w"] = 10 * x[best] + 3 + rng.normal(0, 0.2 * 10 * x[best].std(), len(x))
    x[best] = x[best].mask(rng.random(len(x)) < 0.9)
    return first, Task(x, second.y, second.categories)


def noise(seed: int) -> Pair:
    first, second = clinics(seed)
    x = second.x.copy()
    x["w"] = np.random.default_rng([seed, 9]).normal(size=len(x))
    return first, Task(x, second.y, second.categories)


SCALES: tuple[Rewriting, ...] = ("moments", "quantiles")
TASKS: dict[str, tuple[Callable[[int], Pair], tuple[Rewriting, ...]]] = {
    "same": (same, SCALES),
    "units": (units, SCALES),
    "devices": (devices, SCALES),
    "function": (function, ("made_up",)),
    "proxy": (proxy, ("made_up",)),
    "noise": (noise, ("made_up",)),
}


@dataclass(frozen=True)
class Asked:
    """A network's AUC; and how well the column `w` was predicted, where one was, and whether it
    was made up."""

    auc: float
    quality: float | None = None
    is_used: bool = False


def ask(pair: Pair, how: Rewriting | None, seed: int) -> Asked:
    first, second = pair
    adapted, tested = (
        Task(second.x[rows].reset_index(drop=True), second.y[rows], second.categories)
        for rows in (slice(ADAPTED), slice(ADAPTED, None))
    )
    own, theirs = fitted(adapted, adapted.x), fitted(first, first.x)
    shared = {column.name: column.name for column in theirs.columns}
    hides = "lacking"
    inputs = joint_inputs(own, ADAPTED, [SourceColumns(theirs, shared, len(first.y))], False, hides)
    rows = adopted(theirs, inputs, shared, stored(theirs, first.x))
    target = stored(inputs, adapted.x)
    told = Asked(0.0)
    if how == "made_up":
        lacking = [at for at, column in enumerate(inputs.columns) if column.name not in shared]
        change = MadeUpRows.fit(inputs.columns, lacking, target)
        rows, (figures,) = change.applied(rows), change.told.tolist()
        told = Asked(0.0, figures[2], bool(figures[4]))
    elif how:
        rows = ScaledRows.fit(inputs.columns, rows, target, how).applied(rows)
    y = first.y.astype(np.int32)
    counts = tuple(np.bincount(y, minlength=2).tolist())
    schema = Schema(
        inputs=inputs,
        task=Classification(classes=("no", "yes")),
        splits={"train": len(y), "test": 0},
        class_counts={"train": counts, "test": (0, 0)},
    )
    job = _tabm()
    split = Split.stored(Items.of({"row": rows}), y)
    kept, held = cut_validation(y, job.training.validation_fraction, seed)
    training = job.training.model_copy(update={"min_steps": STEPS}).on(len(kept))
    domain = Domain(schema, split.select(kept), split.select(held))
    setup = engine_setup(job, "baseline", None, seed, domain, training)
    said = outputs_of(train(setup, Journal()), Items.of({"row": stored(inputs, tested.x)}))
    auc = float(roc_auc_score(tested.y, said[:, 1] - said[:, 0]))
    return Asked(auc, told.quality, told.is_used)


def _tabm() -> ResolvedSpec:
    job = spec({"backbone": "tabm"}, {**CATALOGUE["tabm"].recipe, "hidden_columns": 0.6})
    once = job.evaluation.model_copy(update={"seeds": 1})
    return job.model_copy(update={"evaluation": once})


def interval(values: NDArray[np.float64]) -> str:
    half = stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
    return f"{values.mean():+.3f} [{values.mean() - half:+.3f}, {values.mean() + half:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=[*TASKS])
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    figures: dict[str, float] = {}
    for name in asked.names:
        make, ways = TASKS[name]
        pairs = [make(seed) for seed in range(asked.seeds)]
        plain = np.array([ask(pair, None, seed).auc for seed, pair in enumerate(pairs)])
        figures[f"{name}/as they are"] = round(float(plain.mean()), 4)
        print(f"{name}: as they are {plain.mean():.3f}", flush=True)
        for how in ways:
            found = [ask(pair, how, seed) for seed, pair in enumerate(pairs)]
            aucs = np.array([each.auc for each in found])
            figures[f"{name}/{how}"] = round(float(aucs.mean()), 4)
            used = sum(each.is_used for each in found)
            quality = [each.quality for each in found if each.quality is not None]
            more = (
                f"; made up in {used} of {len(found)}, R2 {np.mean(quality):.2f}" if quality else ""
            )
            print(f"  {how} {aucs.mean():.3f}, gain {interval(aucs - plain)}{more}", flush=True)
    print(json.dumps({"benchmark": "rewritten_tables", "ratios": {}, "figures": figures}))


if __name__ == "__main__":
    main()
