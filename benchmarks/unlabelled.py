"""What target items without labels bring beside few labelled ones.

    python -m benchmarks.unlabelled

MNIST to the handwritten letters A to M, other classes, 5 and 10 labels per class: one job each with
200 more training items without their labels, one with all the others there are. `adamatch` learns
from both, `lp_ft` and `scratch` from the labelled ones alone, with the augmentation that held-out
items choose. convnet, pretraining of 2 epochs, 5 seeds that draw other labelled items each, through
`ktl up`. Gains over scratch with 95 % intervals for other
seeds and test items. Needs the data in KTL_TEST_DATA or ../shared/data, and says so where it is
absent.
"""

import json
import os
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from app.client import Client
from benchmarks._reports import report_of
from benchmarks.evidence import OWN
from tests.system.service import running

DATA = Path(os.environ.get("KTL_TEST_DATA", "../shared/data"))
SOURCE, TARGET = "mnist.npz", "emnist_letters_a_to_m.npz"
LABELS, BESIDE, SEEDS = (5, 10), (200, None), 5


def main() -> None:
    figures: dict[str, float] = {}
    if absent := [name for name in (SOURCE, TARGET) if not (DATA / name).exists()]:
        print(f"left out, there is no {' and no '.join(absent)} in {DATA}")
    else:
        with (
            tempfile.TemporaryDirectory(prefix="ktl-") as folder,
            running(Path(folder), **OWN) as up,
        ):
            source = uploaded(up.client, DATA / SOURCE)
            for labels, beside in product(LABELS, BESIDE):
                target = uploaded(up.client, cut(Path(folder), labels, beside))
                figures |= run(up.client, source, target, labels, beside)
    print(json.dumps({"benchmark": "unlabelled", "ratios": {}, "figures": figures}))


def cut(folder: Path, labels: int, beside: int | None) -> Path:
    """The target with so many training items that `beside` are left once `labels` of each class are
    taken; all of them for None."""
    if beside is None:
        return DATA / TARGET
    with np.load(DATA / TARGET, allow_pickle=False) as stored:
        held = {name: stored[name] for name in stored.files}
    y = held["y_train"]
    classes, rng = np.unique(y), np.random.default_rng(0)
    members = [rng.permutation(np.flatnonzero(y == label)) for label in classes]
    in_turn = [int(rows[turn]) for turn in range(min(map(len, members))) for rows in members]
    chosen = np.sort(in_turn[: labels * len(classes) + beside])
    path = folder / f"letters_{labels}_{beside}.npz"
    np.savez(path, **{**held, "x_train": held["x_train"][chosen], "y_train": y[chosen]})
    return path


def uploaded(client: Client, path: Path) -> str:
    return client.datasets.wait(client.datasets.upload([path]).id).id


def run(
    client: Client, source: str, target: str, labels: int, beside: int | None
) -> dict[str, float]:
    spec: dict[str, Any] = {
        "sources": [{"dataset": source}],
        "target": {"dataset": target, "labels_per_class": labels, "use_unlabelled": True},
        "model": {"backbone": "convnet", "image_size": [16, 16]},
        "strategies": ["lp_ft", "adamatch"],
        "training": {"epochs": 50, "pretrain_epochs": 2},
        "evaluation": {"seeds": SEEDS},
    }
    began = time.perf_counter()
    report = report_of(client, spec)
    name = f"{labels}_{'all' if beside is None else beside}"
    seconds = time.perf_counter() - began
    print(f"{name} (labels per class, items without labels): {seconds:.0f} s; {report.reason}")
    figures: dict[str, float] = {}
    for arm, found in report.arms.items():
        accuracy, gain = found.metrics["accuracy"].mean, found.gain
        line = f"  {arm:10} {accuracy:.4f}, {found.unlabelled} items without labels"
        figures[f"{name}_{arm}"] = round(accuracy, 4)
        if gain and gain.overall:
            line += f"; {gain.mean:+.4f} [{gain.overall.low:+.4f}, {gain.overall.high:+.4f}]"
        print(f"{line}; {found.cost.trials:.0f} s of training")
    return figures


if __name__ == "__main__":
    main()
