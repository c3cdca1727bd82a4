"""Every supervised strategy against scratch where labels are few.

    python -m benchmarks.few_labels        (all), or: letters, animals, animals_augmented

letters  MNIST to the handwritten letters A to M, convnet, pretraining of 2 epochs
animals  CIFAR-10's vehicles (1,200 images) to its animals, convnet, pretraining of 50 epochs
animals_augmented  the same, images moved by up to four pixels and mirrored (scratch's as well)
One job each through `ktl up`: 5, 10 and 50 labels per class, 5 seeds (animals 10), 50 epochs, all
strategies that apply to different classes, at their defaults; augmentation is `auto` for all,
scratch included, but where it is named. Gains over scratch with 95 % intervals for other seeds and
test items. animals had been run before with 2 epochs of pretraining,
38 steps, after which no strategy was better than scratch, and with 50 and 5 seeds: at 10 labels the
best was +.020 [-.009, +.050]. Needs the data in KTL_TEST_DATA or ../shared/data, and says so where
it is absent. Five minutes for letters, 12 for either animals on 2 cores.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from app.client import Client
from benchmarks._auto_tasks import ANIMALS, CIFAR, LETTERS, MNIST, VEHICLES, Pictures
from benchmarks._reports import report_of
from benchmarks.auto import applicable
from benchmarks.evidence import OWN
from tests.system.service import running

BUDGETS, EPOCHS = (5, 10, 50), 50
TASKS = {
    "letters": (MNIST, LETTERS),
    "animals": (Pictures(CIFAR, VEHICLES), Pictures(CIFAR, ANIMALS)),
    "animals_augmented": (Pictures(CIFAR, VEHICLES), Pictures(CIFAR, ANIMALS)),
}
SEEDS = {"letters": 5, "animals": 10, "animals_augmented": 10}
TRAINING: dict[str, dict[str, Any]] = {
    "letters": {"pretrain_epochs": 2, "augmentation": "auto"},
    "animals": {"pretrain_epochs": 50, "augmentation": "auto"},
    "animals_augmented": {
        "pretrain_epochs": 50,
        "augmentation": {"strength": "weak", "mirror": True},
    },
}


def main() -> None:
    figures: dict[str, float] = {}
    names = sys.argv[1:] or [*TASKS]
    absent = {part.path for name in names for part in TASKS[name] if not part.path.exists()}
    if absent:
        print(f"left out, there is no {' and no '.join(map(str, absent))}")
    elif names:
        with (
            tempfile.TemporaryDirectory(prefix="ktl-") as folder,
            running(Path(folder), **OWN) as service,
        ):
            for name in names:
                figures |= run(service.client, name)
    print(json.dumps({"benchmark": "few_labels", "ratios": {}, "figures": figures}))


def run(client: Client, task: str) -> dict[str, float]:
    source, target = (
        client.datasets.wait(client.datasets.upload(part.content(), of).id).id
        for of, part in zip(("source", "target"), TASKS[task], strict=True)
    )
    spec: dict[str, Any] = {
        "sources": [{"dataset": source}],
        "target": {"dataset": target, "labels_per_class": 10},
        "model": {"backbone": "convnet"},
        "training": {"epochs": EPOCHS, **TRAINING[task]},
        "evaluation": {"seeds": SEEDS[task], "learning_curve": list(BUDGETS)},
    }
    spec["strategies"] = applicable(client, spec)
    began = time.perf_counter()
    report = report_of(client, spec)
    print(f"{task}: {time.perf_counter() - began:.0f} s; {report.reason}")
    figures: dict[str, float] = {}
    for point in report.learning_curve:
        print(f"  {point.labels_per_class} labels per class")
        for arm, found in sorted(point.arms.items(), key=lambda item: -item[1].mean):
            line, gain = f"    {arm:14}{found.mean:.4f}", point.gains.get(arm)
            key = f"{task}_{point.labels_per_class}_{arm}"
            figures[key] = round(found.mean, 4)
            if gain and gain.overall:
                line += f"  {gain.mean:+.4f} [{gain.overall.low:+.4f}, {gain.overall.high:+.4f}]"
                figures[f"{key}_gain"] = round(gain.mean, 4)
            print(line)
    best = max(
        (
            gain.overall.low
            for point in report.learning_curve
            if point.labels_per_class == 10
            for gain in point.gains.values()
            if gain.overall
        ),
        default=float("nan"),
    )
    figures[f"{task}_10_best_gain_low"] = round(best, 4)
    print(f"  best gain with 10 labels per class is at least {best:+.4f} (wanted: above 0)")
    return figures


if __name__ == "__main__":
    main()
