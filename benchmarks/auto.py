"""`auto` against the best strategy in hindsight, on six tasks.

    python -m benchmarks.auto            (all), or names of tasks: letters_10 usps_5

One job a task through `ktl up`: `auto` and every supervised strategy that applies, each at its
defaults, 5 seeds, 50 epochs, the convnet. `auto` chooses on training items alone; the best in
hindsight has the highest mean accuracy on the test items, which nobody could know before.

Cost: the seconds of `auto`'s search and of its trials over those of the best one's trials. `auto`
comes first, so what both compile is on its account. The pretraining, which both need once, is left
out: with it the ratio would be lower. Needs the data in KTL_TEST_DATA or ../shared/data, and says
so where it is absent. One to eight minutes a task on 2 cores.
"""

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.client import Client
from app.spec.report import Report
from app.spec.strategy_catalogue import CATALOGUE
from benchmarks.evidence import OWN
from tests.system.service import running

DATA = Path(os.environ.get("KTL_TEST_DATA", "../shared/data"))
SEEDS, EPOCHS = 5, 50
WANTED_POINTS, WANTED_COST = 1.0, 2.5
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Part:
    """Some classes of a file; `labels_per_class` where not all are used."""

    file: str
    classes: tuple[int, ...] | None = None
    labels_per_class: int | None = None

    def write(self, path: Path) -> Path:
        with np.load(DATA / f"{self.file}.npz") as stored:
            arrays: Arrays = {f"{name}_{of}": stored[f"{name}_{of}"] for name, of in _ARRAYS}
        for of in ("train", "test"):
            if self.classes is not None:
                rows = np.isin(arrays[f"y_{of}"], self.classes)
                arrays |= {f"{name}_{of}": arrays[f"{name}_{of}"][rows] for name in "xy"}
        np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's own keyword is a bool
        return path


_ARRAYS = [(name, of) for name in "xy" for of in ("train", "test")]
SMALL = {"image_size": (16, 16)}  # of both domains
VEHICLES, CATS_DOGS = (0, 1, 8, 9), (3, 5)  # CIFAR-10's classes
ANIMALS, OTHERS = (2, 3, 4, 5, 6, 7), (0, 1, 2, 4, 6, 7, 8, 9)
LETTERS = "emnist_letters_a_to_m"


@dataclass(frozen=True)
class Task:
    source: Part
    target: Part
    pretrain_epochs: int
    model: dict[str, Any] = field(default_factory=dict)


TASKS = {
    "letters_10": Task(Part("mnist"), Part(LETTERS, None, 10), 2),
    "letters_50": Task(Part("mnist"), Part(LETTERS, None, 50), 2),
    "usps_5": Task(Part("mnist"), Part("usps", None, 5), 2, SMALL),
    "mnist_10": Task(Part("usps"), Part("mnist", None, 10), 16, SMALL),
    "animals_50": Task(Part("cifar10_small", VEHICLES), Part("cifar10_small", ANIMALS, 50), EPOCHS),
    "cats_dogs_50": Task(
        Part("cifar10_small", OTHERS), Part("cifar10_small", CATS_DOGS, 50), EPOCHS
    ),
}


def main() -> None:
    figures: dict[str, float] = {}
    ratios: dict[str, float] = {}
    for name in sys.argv[1:] or TASKS:
        task = TASKS[name]
        parts = {"source": task.source, "target": task.target}
        if absent := [part.file for part in parts.values() if not _exists(part)]:
            print(f"{name}: left out, there is no {' and no '.join(absent)} in {DATA}")
            continue
        with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
            files = [part.write(Path(folder, f"{role}.npz")) for role, part in parts.items()]
            behind, cost = run(name, task, files, Path(folder))
        figures[f"{name}_points_behind"], ratios[f"{name}_cost"] = round(behind, 2), round(cost, 2)
    print(json.dumps({"benchmark": "auto", "ratios": ratios, "figures": figures}))


def _exists(part: Part) -> bool:
    return (DATA / f"{part.file}.npz").exists()


def run(name: str, task: Task, files: list[Path], folder: Path) -> tuple[float, float]:
    """Points of accuracy by which the best in hindsight is ahead, and `auto`'s cost over its."""
    with running(folder, **OWN, KTL_TRAINING_SLOTS="1") as service:
        client = service.client
        source, target = (client.datasets.wait(client.datasets.upload([f]).id).id for f in files)
        spec: dict[str, Any] = {
            "sources": [{"dataset": source}],
            "target": {"dataset": target, "labels_per_class": task.target.labels_per_class},
            "model": {"backbone": "convnet", **task.model},
            "training": {"epochs": EPOCHS, "pretrain_epochs": task.pretrain_epochs},
            "evaluation": {"seeds": SEEDS},
        }
        spec["strategies"] = ["auto", *applicable(client, spec)]
        began = time.perf_counter()
        job = client.jobs.wait(client.jobs.submit(spec).id)
        if job.status != "succeeded":
            raise RuntimeError(f"expected the job to succeed, got {job.error}")
        report = client.jobs.report(job.id)
    seconds = time.perf_counter() - began
    means = {name: arm.metrics["accuracy"].mean for name, arm in report.arms.items()}
    best = max((arm for arm in means if arm in CATALOGUE), key=lambda arm: means[arm])
    behind = 100 * (means[best] - means["auto"])
    cost = spent(report, "auto") / spent(report, best)
    print(f"{name}: {seconds:.0f} s")
    for arm, accuracy in sorted(means.items(), key=lambda item: -item[1]):
        print(f"    {arm:14}{accuracy:.4f}  {spent(report, arm):6.1f} s")
    print(f"  {report.searches[0].reason}")
    print(f"  {behind:.2f} points behind {best} (wanted: <= {WANTED_POINTS:g})", end="")
    print(f", at {cost:.2f} times its cost (wanted: <= {WANTED_COST:g})", flush=True)
    return behind, cost


def applicable(client: Client, spec: dict[str, Any]) -> list[str]:
    answer = client.jobs.validate({**spec, "strategies": ["auto"]})
    return [each.name for each in answer.strategies if each.reason is None]


def spent(report: Report, arm: str) -> float:
    """Seconds of an arm's search and trials."""
    cost = report.arms[arm].cost
    return cost.trials + cost.search


if __name__ == "__main__":
    main()
