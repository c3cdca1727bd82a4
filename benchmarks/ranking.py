"""Which score of a source's features ranks sources best?

    python -m benchmarks.ranking DATA_FOLDER --out RESULTS.jsonl     (resumes RESULTS.jsonl)

One `rank` job with `measure` for every target and label budget (5, 10, 50 labels per class): nine
candidate sources, three sets of pictures, each as it is, with its labels permuted, and transposed.
The measured value of a source is the mean test accuracy, over 3 seeds, of lp_ft from it. Of every
score: Kendall's τ and the weighted τ of its ranking with the measured one, its regret in points of
accuracy, and how often it puts permuted labels above the same pictures with their own. Small
convnets, 16x16 pixels.

The score that `rank` orders by was chosen on the tasks of CHOSEN_ON; the others report on it.
DATA_FOLDER holds mnist.npz, usps.npz, emnist_letters_a_to_m.npz and cifar10_small.npz (x_train,
y_train, x_test, y_test); tasks whose data is absent are left out. About 25 minutes on one core.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read when numpy is loaded
    os.environ.pop(name, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402  after the environment
from numpy.typing import NDArray  # noqa: E402

from benchmarks.in_process import (  # noqa: E402
    Dataset,
    Runner,
    labelled,
    pixels,
    resolved,
    transposed,
)
from worker.evaluation.ranking import rank_correlation, regret  # noqa: E402
from worker.evaluation.sources import RANKED_BY  # noqa: E402
from worker.evaluation.transferability import SCORES  # noqa: E402
from worker.training.data import Split, few_labels  # noqa: E402

BUDGETS, SEEDS, TEST_ITEMS, ITEMS_PER_CLASS = (5, 10, 50), 3, 2000, 500
CHOSEN_ON = ("usps", "letters", "wild")
VEHICLES, WILD, CATS_DOGS = (0, 1, 8, 9), (2, 4, 6, 7), (3, 5)  # CIFAR-10's classes
GREY = {"mnist": "mnist.npz", "usps": "usps.npz", "letters": "emnist_letters_a_to_m.npz"}
COLOUR = {"vehicles": VEHICLES, "wild": WILD, "cats_dogs": CATS_DOGS}
DIGITS_IN_COLOUR = "mnist_in_colour"
PRETRAIN_EPOCHS = {"grey": 5, "colour": 15}
PERMUTED = " permuted"
KINDS = ("", PERMUTED, " transposed")
SPLITS = ("train", "test")
COLUMNS = ("tau", "weighted_tau", "points_lost", "permuted_above")


@dataclass(frozen=True)
class Task:
    target: str
    sources: tuple[str, ...]  # their pictures, each of them in KINDS
    pictures: str  # grey or colour
    labels_per_class: int

    @property
    def name(self) -> str:
        return f"{self.target}_{self.labels_per_class}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("data", type=Path, help="folder of the .npz files")
    parser.add_argument("--out", type=Path, help="a line of JSON per task; what it holds is kept")
    chosen = parser.parse_args()
    done = _read(chosen.out)
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        pools, runner = _pools(chosen.data, Path(folder, "digits")), Runner(Path(folder))
        for task in _tasks(pools):
            if task.name in done:
                continue
            began = time.perf_counter()
            done[task.name] = run(task, pools[task.pictures], runner)
            print(f"{task.name}: {time.perf_counter() - began:.0f} s", flush=True)
            if chosen.out:
                with chosen.out.open("a") as file:
                    file.write(json.dumps({"task": task.name, **done[task.name]}) + "\n")
    _show(done)


def run(task: Task, pool: dict[str, Dataset], runner: Runner) -> dict[str, Any]:
    names = [f"{name}{kind}" for name in task.sources for kind in KINDS]
    sources = [pool[name] for name in names]
    fields = {
        "kind": "rank",
        "measure": True,
        "sources": [{"dataset": f"ds_{number}"} for number in range(len(names))],
        "target": {"dataset": "ds_target", "labels_per_class": task.labels_per_class},
        "model": {
            "backbone": "convnet",
            "params": {"filters": [16, 32], "dense": 64},
            "image_size": [16, 16],
        },
        "strategies": ["lp_ft"],
        "training": {
            "epochs": 30,
            "pretrain_epochs": PRETRAIN_EPOCHS[task.pictures],
            "batch_size": 32,
            "augmentation": None,
        },
        "evaluation": {"seeds": SEEDS, "baseline": False},
    }
    target = pool[task.target]
    report = runner.run(resolved(fields, sources, target), sources, target)
    return {
        "sources": names,
        "transferability": report.transferability and report.transferability.model_dump(),
        "warnings": report.warnings,
        "arms": {name: arm.metrics["accuracy"].mean for name, arm in report.arms.items()},
    }


def _read(path: Path | None) -> dict[str, dict[str, Any]]:
    if path is None or not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line.pop("task"): line for line in lines}


def _tasks(pools: Mapping[str, Mapping[str, Dataset]]) -> Iterator[Task]:
    for budget, (pictures, pool) in product(BUDGETS, pools.items()):
        names = [name for name in pool if not name.endswith(KINDS[1:])]
        for target in names:
            others = tuple(name for name in names if name != target)
            if target != DIGITS_IN_COLOUR and len(others) > 1:
                yield Task(target, others, pictures, budget)


def _pools(folder: Path, workdir: Path) -> dict[str, dict[str, Dataset]]:
    """Grey pictures, and coloured ones: a network takes one number of channels."""
    grey = {name: found for name, file in GREY.items() if (found := _of(name, folder / file))}
    file = folder / "cifar10_small.npz"
    colour = {name: found for name, of in COLOUR.items() if (found := _of(name, file, of))}
    if colour and "mnist" in grey:
        mnist = grey["mnist"]
        splits = (
            labelled(np.repeat(pixels(of), 3, axis=3), of.y) for of in (mnist.train, mnist.test)
        )
        colour[DIGITS_IN_COLOUR] = Dataset.of(DIGITS_IN_COLOUR, *splits)
    grey["digits"] = Dataset.catalogued("digits", workdir)
    return {"grey": _with_kinds(grey), "colour": _with_kinds(colour)}


def _with_kinds(pool: Mapping[str, Dataset]) -> dict[str, Dataset]:
    found: dict[str, Dataset] = {}
    for seed, (name, dataset) in enumerate(pool.items()):
        versions = (dataset, dataset.permuted(seed), dataset.redrawn(transposed))
        found |= {f"{name}{kind}": each for kind, each in zip(KINDS, versions, strict=True)}
    return found


def _of(name: str, file: Path, classes: Sequence[int] | None = None) -> Dataset | None:
    """None, and a word about it, where there is no such file."""
    if not file.exists():
        print(f"{name}: left out, there is no {file.name} in {file.parent}")
        return None
    with np.load(file) as stored:
        train, test = (_some(stored[f"x_{of}"], stored[f"y_{of}"], classes) for of in SPLITS)
    train = train.select(few_labels(train.y, ITEMS_PER_CLASS, 0))
    test = test.select(np.arange(len(test))[:TEST_ITEMS])
    train, test = (labelled(pixels(of), of.y) for of in (train, test))
    return Dataset.of(name, train, test)


def _some(x: NDArray[Any], y: NDArray[Any], classes: Sequence[int] | None) -> Split:
    """The items of some classes, numbered anew."""
    kept = np.unique(y) if classes is None else np.array(classes)
    rows = np.isin(y, kept)
    x = x[rows] if x.ndim == 4 else x[rows][..., None]
    return labelled(x, np.searchsorted(kept, y[rows]).astype(np.int32))


def _show(done: Mapping[str, Mapping[str, Any]]) -> None:
    figures: dict[str, float] = {}
    parts: dict[str, list[Mapping[str, Any]]] = {"chosen_on": [], "reported": []}
    for task, found in done.items():
        part = "chosen_on" if task.rpartition("_")[0] in CHOSEN_ON else "reported"
        parts[part].append(found)
    for part, tasks in parts.items():
        if not tasks:
            continue
        print(f"{part}: {len(tasks)} tasks; {RANKED_BY} ranks")
        print(f"  {'score':10}" + "".join(f"{column:>16}" for column in COLUMNS))
        for score in SCORES:
            of_tasks = [_quality(task, score) for task in tasks]
            row = {name: _mean([each[name] for each in of_tasks]) for name in COLUMNS}
            print(f"  {score:10}" + "".join(f"{value:16.3f}" for value in row.values()))
            figures |= {f"{part}_{score}_{name}": round(value, 4) for name, value in row.items()}
    print(json.dumps({"benchmark": "ranking", "ratios": {}, "figures": figures}))


def _quality(task: Mapping[str, Any], score: str) -> dict[str, float | None]:
    """COLUMNS of one task."""
    names = task["sources"]
    ranking = {names[each["source"] - 1]: each for each in task["transferability"]["ranking"]}
    scores = [ranking[name]["scores"][score] for name in names]
    measured = [ranking[name]["measured"]["mean"] for name in names]
    correlation, lost = rank_correlation(scores, measured), regret(scores, measured)
    wrong = [
        scores[place] >= scores[names.index(name.removesuffix(PERMUTED))]
        for place, name in enumerate(names)
        if name.endswith(PERMUTED) and scores[place] is not None
    ]
    return {
        "tau": correlation.kendall_tau if correlation else None,
        "weighted_tau": correlation.weighted_tau if correlation else None,
        "points_lost": None if lost is None else 100 * lost,
        "permuted_above": mean(wrong) if wrong else None,
    }


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return mean(known) if known else float("nan")


if __name__ == "__main__":
    main()
