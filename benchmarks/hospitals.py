"""Heart disease, from Cleveland's hospital to others: with no label of theirs, and with 20.

    python -m benchmarks.hospitals [BACKBONE] [DRAWS]        (mlp, 20)

no_labels  the whole other hospital is the test, and without its labels what is adapted to; source_
    only sees nothing of it but the quantiles of its columns. AUC, 5 seeds, each with a pretraining
    of its own
labels_20  20 draws of 20 patients (10 of each class) with labels, all others are the test: each a
    job of one seed, beside logistic regression on the 20, and on these and Cleveland pooled
Jobs run whole but for HTTP: acceptance, adoption of rows into joint columns, trials, report. A
cholesterol or blood pressure of 0 counts as missing; the columns' order, two names and the order
of categories are others in the target than in the source. 95 % t-intervals: over the seeds without
labels, over the draws with them. Needs the data in KTL_TEST_DATA or ../shared/data.
"""

import json
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
from numpy.typing import NDArray
from scipy import stats
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from app.database import Database
from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, Column, NumberColumn
from app.inputs.table import TableInputs
from app.migrate import upgrade
from app.settings import Settings
from app.storage import Storage
from app.tasks.classification import Classification
from tests.trials.jobs import report_of, run, submit
from tests.trials.stored import add_stored
from worker.process.workplace import Workplace

DATA = Path(os.environ.get("KTL_TEST_DATA", "../shared/data"))
FILE = "tab_heart_disease_4_hospitals.csv.gz"
NUMBERS = ("age", "trestbps", "chol", "thalach", "oldpeak", "ca")
ZERO_IS_MISSING = {"chol", "trestbps"}
SEEDS, LABELS = 5, 10  # labels per class
TRAINING = {"epochs": 30, "pretrain_epochs": 30, "batch_size": 32, "optimizer": "adamw"}
ADAPTING = ("coral", "mcc", "adabn", "shot")
LABELLED = ("linear_probe", "lp_ft", "fine_tune", "multi_task")


def hospitals() -> dict[str, tuple[dict[str, list[Any]], NDArray[np.int32]]]:
    """Columns and whether a patient is sick, by hospital."""
    table = pyarrow.csv.read_csv(DATA / FILE).to_pydict()
    names, found = [name for name in table if name not in {"hospital", "num"}], {}
    for hospital in dict.fromkeys(table["hospital"]):
        rows = [row for row, each in enumerate(table["hospital"]) if each == hospital]
        columns = {name: [_value(name, table[name][row]) for row in rows] for name in names}
        sick = np.array([table["num"][row] > 0 for row in rows], np.int32)
        found[str(hospital)] = (columns, sick)
    return found


def _value(name: str, value: float | None) -> float | None:
    return None if name in ZERO_IS_MISSING and value == 0 else value


def stored(
    place: Workplace, folder: Path, name: str, splits: dict[str, tuple[dict[str, list[Any]], Any]]
) -> str:
    """A dataset of these rows; categories the commonest first in its own training rows."""
    renamed = {"age": "Age", "thalach": "thal_ach"} if name != "cleveland" else {}
    columns: list[Column] = []
    train, _ = splits["train"]
    for column, values in train.items() if name == "cleveland" else reversed(train.items()):
        shown = renamed.get(column, column)
        if column in NUMBERS:
            columns.append(NumberColumn.fit(shown, np.array(values, np.float64)))
        else:
            known = [f"{value:g}" for value in values if value is not None]
            each = sorted(set(known))
            counts = [known.count(value) for value in each]
            columns.append(CategoryColumn.fit(shown, each, counts, len(known) < len(values)))
    own = {shown: column for column, shown in renamed.items()}
    arrays: dict[str, np.ndarray] = {}
    for split, (rows, y) in splits.items():
        coded = [
            [np.nan if value is None else _coded(column, value) for value in rows[name]]
            for column in columns
            for name in (own.get(column.name, column.name),)
        ]
        arrays |= {f"x_{split}": np.array(coded, np.float32).T, f"y_{split}": y}
    inputs = TableInputs(columns=tuple(columns))
    arrays["sketch"] = inputs.sketch({"row": arrays["x_train"]})
    schema = Schema(
        inputs=inputs,
        task=Classification(classes=("well", "sick")),
        splits={split: len(y) for split, (_, y) in splits.items()},
        class_counts={
            split: (int((y == 0).sum()), int((y == 1).sum())) for split, (_, y) in splits.items()
        },
    )
    return add_stored(place, folder, name, arrays, schema)


def _coded(column: Column, value: float) -> float:
    return value if isinstance(column, NumberColumn) else column.read(f"{value:g}")


def aucs(place: Workplace, source: str, target: str, **changes: Any) -> dict[str, list[float]]:
    """Of the test items, by arm, one per seed."""
    job, trials = run(place, submit(place, [{"dataset": source}], target, **changes))
    failed = [trial.error for trial in trials if trial.status != "succeeded"]
    if failed:
        raise SystemExit(f"a trial failed: {failed[0]}")
    report_of(job)
    found = defaultdict(list)
    for trial in trials:
        if trial.predictions and trial.role != "pretrain":
            with np.load(place.storage.local(trial.predictions)) as arrays:
                scores = softmax(arrays["logits_test"], axis=1)[:, 1]
                found[trial.arm].append(float(roc_auc_score(arrays["y_test"], scores)))
    return found


def interval(values: list[float]) -> str:
    mean, spread = np.mean(values), stats.sem(values)
    half = spread * stats.t.ppf(0.975, len(values) - 1)
    return f"{mean:.3f} [{mean - half:.3f}, {mean + half:.3f}], n {len(values)}"


def few_labels(
    place: Workplace, folder: Path, source: str, name: str, draws: int, **changes: Any
) -> dict[str, list[float]]:
    people = hospitals()
    columns, sick = people[name]
    found = defaultdict(list)
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        taken = np.concatenate(
            [rng.permutation(np.flatnonzero(sick == label))[:LABELS] for label in (0, 1)]
        )
        rest = np.setdiff1d(np.arange(len(sick)), taken)
        parts = {
            split: (
                {key: [values[row] for row in rows] for key, values in columns.items()},
                sick[rows],
            )
            for split, rows in (("train", taken), ("test", rest))
        }
        target = stored(place, folder, f"{name} {draw}", parts)
        given = {
            **changes,
            "evaluation": {"seeds": 1, "references": []},
            "seed": draw,
            "strategies": [*LABELLED],
        }
        for arm, values in aucs(place, source, target, **given).items():
            found[arm] += values
        for arm, rows in (
            ("logistic, target alone", []),
            ("logistic, pooled", [people["cleveland"]]),
        ):
            found[arm].append(logistic([parts["train"], *rows], parts["test"]))
    return found


def logistic(train: list[tuple[dict[str, list[Any]], Any]], test: Any) -> float:
    """AUC of logistic regression on medians and one-hot categories of what it is trained on."""
    names = [*train[0][0]]
    rows = {name: [value for part, _ in train for value in part[name]] for name in names}
    y = np.concatenate([sick for _, sick in train])
    x = [_features(name, rows[name], rows[name]) for name in names]
    asked = [_features(name, rows[name], test[0][name]) for name in names]
    x, asked = np.concatenate(x, 1), np.concatenate(asked, 1)
    model = LogisticRegression(max_iter=1000).fit(x, y)
    return float(roc_auc_score(test[1], model.decision_function(asked)))


def _features(name: str, learnt: list[Any], values: list[Any]) -> NDArray[np.float64]:
    if name not in NUMBERS:
        kinds = sorted({value for value in learnt if value is not None})
        return np.array([[value == kind for kind in kinds] for value in values], float).reshape(
            len(values), -1
        )
    known = np.array([value for value in learnt if value is not None] or [0.0])
    filled = [np.median(known) if value is None else value for value in values]
    return ((np.array(filled) - known.mean()) / (known.std() or 1))[:, None]


def main() -> None:
    backbone = sys.argv[1] if len(sys.argv) > 1 else "mlp"
    draws = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    if not (DATA / FILE).exists():
        raise SystemExit(f"there is no {FILE} in {DATA}")
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="ktl-") as temporary:
        folder = Path(temporary)
        settings = Settings(data_dir=folder / "ktl")
        url = f"sqlite:///{folder / 'ktl.db'}"
        upgrade(url)
        (folder / "slots").mkdir()
        store = Storage(settings.storage, settings.cache_dir)
        place = Workplace(settings, Database(url), store, folder / "slots", lambda: False)
        people = hospitals()
        source = stored(
            place, folder, "cleveland", {"train": people["cleveland"], "test": people["cleveland"]}
        )
        common = {"model": {"backbone": backbone}, "training": TRAINING}
        for name in ("hungarian", "va"):
            whole = stored(place, folder, name, {"train": people[name], "test": people[name]})
            unlabelled = {
                **common,
                "target_use_labels": False,
                "strategies": [*ADAPTING],
                "evaluation": {"seeds": SEEDS, "pretrain_seeds": SEEDS, "references": []},
            }
            tasks = {
                "no_labels": aucs(place, source, whole, **unlabelled),
                "labels_20": few_labels(place, folder, source, name, draws, **common),
            }
            for task, arms in tasks.items():
                for arm, values in arms.items():
                    print(f"{task} {name} {arm}: {interval(values)}", flush=True)
                    figures[f"{task}/{name}/{arm}"] = float(np.mean(values))
    print(json.dumps({"benchmark": "hospitals", "ratios": {}, "figures": figures}))


if __name__ == "__main__":
    main()
