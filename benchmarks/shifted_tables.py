"""From one table to another whose values are missing elsewhere: what a network learns of the first.

    python -m benchmarks.shifted_tables        (all), or names, as: clinics tumours

Nothing of the second table is learnt from: a network, trained as a job's pretraining is, and
scikit-learn's models are asked of its rows. AUC, a draw of domains and columns per seed.

clinics   made up. 12 columns of 4 hidden factors, x = A z + noise; the risk is a logistic of linear
    terms, two thresholds and a product. The second clinic's factors are shifted by N(0, .4), its
    prevalence too; a third of the columns are numbers of few values, or categories
tumours   scikit-learn's breast cancer, 8 of its weaker columns; the second half are those whose
    `mean fractal dimension` plus noise lies above its median
sugar     its diabetes, progression above the median or not; parted by age plus noise
patients  Cleveland's of the heart file alone, parted at random (needs KTL_TEST_DATA or
    ../shared/data)
In each, three columns drawn by chance lack 1 % of their values in the first table and 90 % in the
second, two more 0 % and 40 %.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.metrics import roc_auc_score

from app.datasets.schemas import Schema
from app.inputs.joint_columns import SourceColumns, joint_inputs
from app.inputs.table import TableInputs
from app.spec.backbones import CATALOGUE
from app.spec.references import PlannedReference
from app.spec.spec import ResolvedSpec
from app.tasks.classification import Classification
from benchmarks._tables import Task, heart
from benchmarks.tables import Journal, fitted, spec, stored
from worker.references.reference import FittedReference
from worker.training.data import Domain, Split, cut_validation
from worker.training.items import Items
from worker.training.predict import outputs_of
from worker.training.run import train
from worker.training.setup import TrialSetup
from worker.trials.engine_setup import engine_setup

SEEDS = 5
STEPS = 100  # of a pretraining, as the recipe has it
RARE, MOSTLY, OFTEN = 0.01, 0.9, 0.4
Pair = tuple[Task, Task]


def clinics(seed: int) -> Pair:
    rng = np.random.default_rng([seed, 1])
    mixing = rng.normal(size=(4, 12))
    weights = rng.normal(size=12) * (rng.random(12) < 0.7)

    def clinic(items: int, shift: NDArray[np.float64], bias: float) -> Task:
        x = (rng.normal(size=(items, 4)) + shift) @ mixing + rng.normal(size=(items, 12))
        risk = (
            x @ weights / 4 + 1.2 * (x[:, 0] > 1) - (np.abs(x[:, 1]) < 1) + 0.2 * x[:, 2] * x[:, 3]
        )
        y = (rng.random(items) < 1 / (1 + np.exp(bias - risk))).astype(int)
        x[:, 8:] = np.clip(np.round(x[:, 8:] / 1.5), -2, 2)
        frame = pd.DataFrame(x, columns=[f"c{number}" for number in range(12)])
        return Task(frame, y, ("c8", "c9"))

    return clinic(270, np.zeros(4), 0.2), clinic(600, 0.4 * rng.normal(size=4), -0.6)


def tumours(seed: int) -> Pair:
    bunch = datasets.load_breast_cancer(as_frame=True)
    weak = ["mean texture", "mean smoothness", "mean symmetry", "mean fractal dimension",
            "texture error", "smoothness error", "symmetry error", "worst smoothness"]  # fmt: skip
    return _parted(bunch.data[weak], bunch.target.to_numpy(), "mean fractal dimension", seed)


def sugar(seed: int) -> Pair:
    bunch = datasets.load_diabetes(as_frame=True)
    y = (bunch.target > bunch.target.median()).to_numpy(int)
    return _parted(bunch.data, y, "age", seed, ("sex",))


def patients(seed: int) -> Pair:
    task = heart("cleveland")
    return _parted(task.x, task.y, None, seed, task.categories)


def _parted(
    x: pd.DataFrame, y: NDArray[Any], by: str | None, seed: int, named: tuple[str, ...] = ()
) -> Pair:
    rng = np.random.default_rng([seed, 2])
    place = rng.normal(size=len(x))
    if by:
        place = place + ((x[by] - x[by].mean()) / x[by].std()).to_numpy()
    is_second = place > np.quantile(place, 0.5)
    first, second = (
        Task(x[of].reset_index(drop=True), y[of], named) for of in (~is_second, is_second)
    )
    return first, second


TASKS: dict[str, Callable[[int], Pair]] = {
    "clinics": clinics,
    "tumours": tumours,
    "sugar": sugar,
    "patients": patients,
}


def with_holes(pair: Pair, seed: int) -> Pair:
    rng = np.random.default_rng([seed, 3])
    columns = rng.permutation(len(pair[0].x.columns))[:5]
    found = []
    for task, rates in zip(pair, ((RARE, 0.0), (MOSTLY, OFTEN)), strict=True):
        x = task.x.copy()
        for place, column in enumerate(columns):
            lost = rng.random(len(x)) < rates[place >= 3]
            if place < 3 and not lost.any():
                lost[rng.integers(len(x))] = True
            name = x.columns[column]
            x[name] = x[name].astype(object if name in task.categories else float).mask(lost)
        found.append(Task(x, task.y, task.categories))
    return found[0], found[1]


def joint(pair: Pair, learns_missing: bool) -> TableInputs:
    first, second = (fitted(task, task.x) for task in pair)
    names = {column.name: column.name for column in second.columns}
    found = joint_inputs(
        second, len(pair[1].y), [SourceColumns(first, names, len(pair[0].y))], False
    )
    if not learns_missing:
        return found
    columns = tuple(each.model_copy(update={"misses": True}) for each in found.columns)
    return found.model_copy(update={"columns": columns})


def setup_of(pair: Pair, job: ResolvedSpec, seed: int, steps: int) -> TrialSetup:
    inputs = joint(pair, bool(job.training.hidden_columns))
    y = pair[0].y.astype(np.int32)
    counts = tuple(np.bincount(y, minlength=2).tolist())
    schema = Schema(
        inputs=inputs,
        task=Classification(classes=("no", "yes")),
        splits={"train": len(y), "test": 0},
        class_counts={"train": counts, "test": (0, 0)},
    )
    split = Split.stored(Items.of({"row": stored(inputs, pair[0].x)}), y)
    rows, held = cut_validation(y, job.training.validation_fraction, seed)
    training = job.training.model_copy(update={"min_steps": steps}).on(len(rows))
    job = job.model_copy(update={"training": training})
    return engine_setup(
        job, "baseline", None, seed, Domain(schema, split.select(rows), split.select(held))
    )


def asked(pair: Pair, setup: TrialSetup) -> Split:
    rows = stored(setup.target.schema.inputs, pair[1].x)  # type: ignore[arg-type]  # a table's
    return Split.stored(Items.of({"row": rows}), pair[1].y.astype(np.int32))


def of_network(pair: Pair, job: ResolvedSpec, seed: int, steps: int) -> float:
    setup = setup_of(pair, job, seed, steps)
    said = outputs_of(train(setup, Journal()), asked(pair, setup).items)
    return float(roc_auc_score(pair[1].y, said[:, 1] - said[:, 0]))


def of_reference(pair: Pair, name: Any, seed: int) -> float:
    setup = setup_of(pair, spec({"backbone": "mlp"}, {}), seed, 0)
    fit = FittedReference.fit(PlannedReference(model=name, rows="target"), setup)
    said = fit.outputs(asked(pair, setup))
    return float(roc_auc_score(pair[1].y, said[:, 1] - said[:, 0]))


METHODS: dict[str, Callable[[Pair, int], float]] = {
    "network": lambda pair, seed: of_network(pair, _tabm(), seed, STEPS),
    "nothing hidden": lambda pair, seed: of_network(pair, _tabm(hidden_columns=0.0), seed, STEPS),
    **{
        name: (lambda pair, seed, name=name: of_reference(pair, name, seed))  # type: ignore[misc]
        for name in ("linear", "forest", "boosting")
    },
}


def _tabm(**changes: Any) -> ResolvedSpec:
    job = spec({"backbone": "tabm"}, {**CATALOGUE["tabm"].recipe, **changes})
    once = job.evaluation.model_copy(update={"seeds": 1})
    return job.model_copy(update={"evaluation": once})


def main() -> None:
    names = sys.argv[1:] or [*TASKS]
    figures: dict[str, float] = {}
    for name in names:
        pairs = [with_holes(TASKS[name](seed), seed) for seed in range(SEEDS)]
        for method, ask in METHODS.items():
            found = [ask(pair, seed) for seed, pair in enumerate(pairs)]
            figures[f"{name}/{method}"] = round(float(np.mean(found)), 4)
            each = " ".join(f"{auc:.3f}" for auc in found)
            print(f"{name} {method}: {np.mean(found):.3f} ({each})", flush=True)
    print(json.dumps({"benchmark": "shifted_tables", "ratios": {}, "figures": figures}))


if __name__ == "__main__":
    main()
