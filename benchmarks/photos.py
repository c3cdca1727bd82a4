"""Photos from ImageNet's weights: a frozen network with a new head, and the same one fine-tuned.

    python -m benchmarks.photos            (all), or: cats_dogs cats_dogs_10 animals_10

cats_dogs     CIFAR-10's cats and dogs (600 training, 320 test pictures of 32x32), all labels, from
              ImageNet: linear_probe and lp_ft, and how far lp_ft is ahead, paired by seed and by
              test picture
cats_dogs_10  the same with 10 labels per class: linear_probe
animals_10    CIFAR-10's vehicles (1,200) and ImageNet as sources of its animals, 10 labels per
              class: linear_probe from each, against the same network from random weights with as
              many steps as the house asks for

One job each through `ktl up`, efficientnet_lite0 at 128x128, 5 seeds, everything else as it is
where a job says nothing. Needs the extra `vision`, and the data in KTL_TEST_DATA or ../shared/data;
it says so where either is absent. Twenty minutes for cats_dogs and for animals_10, one for
cats_dogs_10, on 2 cores.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from app.client import Client
from app.pretrained.files import located
from app.settings import Settings
from app.spec.pretrained import PRETRAINED
from app.spec.report import Report
from benchmarks._auto_tasks import ANIMALS, CATS_DOGS, CIFAR, DATA, VEHICLES, Pictures
from benchmarks._reports import succeeded
from benchmarks.evidence import OWN
from tests.system.service import running

SEEDS, RESAMPLES = 5, 10_000
IMAGENET = {"backbone": "efficientnet_lite0", "weights": "imagenet"}
WANTED = {"cats_dogs": 0.82, "cats_dogs_10": 0.685}
# Three epochs, 102 steps: no arm here starts from random weights, which would need more.
SHORT = {"epochs": 3, "min_steps": 0, "augmentation": {"strength": "weak", "mirror": True}}
JOBS: dict[str, dict[str, Any]] = {
    "cats_dogs": {
        "strategies": ["linear_probe", "lp_ft"],
        "training": SHORT,
        "evaluation": {"seeds": SEEDS, "baseline": False},
    },
    "cats_dogs_10": {
        "labels": 10,
        "strategies": ["linear_probe"],
        "evaluation": {"seeds": SEEDS, "baseline": False},
    },
    "animals_10": {
        "labels": 10,
        "strategies": ["linear_probe"],
        "training": {"pretrain_epochs": 10, "augmentation": None},
        "evaluation": {"seeds": SEEDS},
    },
}


def main() -> None:
    figures: dict[str, float] = {}
    if obstacle := _obstacle():
        print(obstacle)
    else:
        with tempfile.TemporaryDirectory(prefix="ktl-") as name:
            folder = Path(name)
            with running(folder, **OWN, KTL_TRAINING_SLOTS="1") as service:
                for task in sys.argv[1:] or JOBS:
                    figures |= run(service.client, task, folder)
    print(json.dumps({"benchmark": "photos", "ratios": {}, "figures": figures}))


def _obstacle() -> str | None:
    weights = PRETRAINED["efficientnet_lite0:imagenet"]
    if located(weights, Settings().cache_dir) is None:
        return f"left out: there are no weights of {weights.backbone}; {weights.command}"
    if not (DATA / f"{CIFAR}.npz").exists():
        return f"left out: there is no {CIFAR}.npz in {DATA}"
    return None


def run(client: Client, task: str, folder: Path) -> dict[str, float]:
    how = dict(JOBS[task])
    target = ANIMALS if task == "animals_10" else CATS_DOGS
    sources: list[dict[str, str]] = [IMAGENET]
    if task == "animals_10":
        sources.append({"dataset": upload(client, VEHICLES, "vehicles")})
    dataset = upload(client, target, task)
    spec: dict[str, Any] = {
        "name": task,
        "sources": sources,
        "combine": "each",
        "target": {"dataset": dataset, "labels_per_class": how.pop("labels", None)},
        **how,
    }
    began = time.perf_counter()
    job_id = succeeded(client, spec)
    report = client.jobs.report(job_id)
    print(f"{task}: {time.perf_counter() - began:.0f} s; {report.verdict}: {report.reason}")
    figures = told(task, report)
    if task == "cats_dogs":
        right = correct(client, job_id, folder)
        figures |= ahead(right["lp_ft"], right["linear_probe"])
    return figures


def upload(client: Client, classes: tuple[int, ...], name: str) -> str:
    content = Pictures(CIFAR, classes).content()
    return client.datasets.wait(client.datasets.upload(content, name).id).id


def told(task: str, report: Report) -> dict[str, float]:
    figures = {}
    for arm, found in report.arms.items():
        accuracy, gain = found.metrics["accuracy"], found.gain
        line = f"  {arm:16}{accuracy.mean:.4f} [{accuracy.low:.4f}, {accuracy.high:.4f}]"
        if gain and gain.overall:
            line += f"  over scratch {gain.mean:+.4f} "
            line += f"[{gain.overall.low:+.4f}, {gain.overall.high:+.4f}]"
            figures[f"{task}_{arm}_gain_low"] = round(gain.overall.low, 4)
        wanted = f"  (wanted: {WANTED[task]})" if task in WANTED else ""
        print(f"{line}{wanted}")
        figures[f"{task}_{arm}"] = round(accuracy.mean, 4)
    return figures


def correct(client: Client, job_id: str, folder: Path) -> dict[str, NDArray[np.float64]]:
    """Of each arm which test pictures its trials had right, (seeds, items)."""
    found: dict[str, list[NDArray[np.float64]]] = {}
    with ZipFile(client.jobs.predictions(job_id, folder / "predictions.zip")) as archive:
        evidence = json.loads(archive.read("job.json"))
        for trial in sorted(evidence["trials"], key=lambda each: each["seed"]):
            with archive.open(trial["predictions"]) as file, np.load(file) as arrays:
                right = arrays["logits_test"].argmax(1) == arrays["y_test"]
            found.setdefault(trial["arm"], []).append(right.astype(np.float64))
    return {arm: np.array(rows) for arm, rows in found.items()}


def ahead(one: NDArray[np.float64], other: NDArray[np.float64]) -> dict[str, float]:
    """How much more often one is right, with a 95 % interval for other seeds and pictures: both are
    drawn anew, seeds and pictures of both arms together."""
    apart, rng = one - other, np.random.default_rng(0)
    seeds, items = apart.shape
    drawn = np.array(
        [
            apart[rng.integers(0, seeds, seeds)].mean(0)[rng.integers(0, items, items)].mean()
            for _ in range(RESAMPLES)
        ]
    )
    low, high = np.quantile(drawn, [0.025, 0.975])
    print(
        f"  lp_ft over linear_probe {apart.mean():+.4f} [{low:+.4f}, {high:+.4f}] (wanted: above 0)"
    )
    return {"fine_tuned_over_probe": round(float(apart.mean()), 4), "and_at_least": round(low, 4)}


if __name__ == "__main__":
    main()
