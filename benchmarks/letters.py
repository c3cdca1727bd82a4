"""MNIST to the handwritten letters a to m: examples/mnist_to_letters.json, and three variations.

    python -m benchmarks.letters        (all), or: mlp, mlp_10, convnet, convnet_10

mlp         the example as it is: an MLP of one layer, all labels, 10 epochs
mlp_10      10 labels per class, 50 epochs
convnet     all labels, 10 epochs after 2 of pretraining, lp_ft beside fine_tune at either rate
convnet_10  10 labels per class, 50 epochs, lp_ft, fine_tune and linear_probe at their defaults
One job each through `ktl up`, 5 seeds: accuracy with intervals over seeds, gains over scratch with
intervals for other seeds and test items. Needs the data in KTL_TEST_DATA or ../shared/data, and
says so where it is absent.
"""

import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.client import Client
from app.spec.report import Report
from benchmarks._auto_tasks import LETTERS, MNIST
from benchmarks._reports import report_of
from benchmarks.evidence import OWN
from tests.system.service import running

EXAMPLE = Path(__file__).parents[1] / "examples" / "mnist_to_letters.json"
BOTH_RATES = [{"name": "fine_tune", "params": {"backbone_rate": rate}} for rate in (1.0, 0.1)]
FEW: Mapping[str, Any] = {"target": {"labels_per_class": 10}, "training": {"epochs": 50}}
CONVNET: Mapping[str, Any] = {"model": {"backbone": "convnet"}}
JOBS: Mapping[str, Mapping[str, Any]] = {
    "mlp": {},
    "mlp_10": FEW,
    "convnet": {
        **CONVNET,
        "training": {"pretrain_epochs": 2},
        "strategies": ["lp_ft", *BOTH_RATES],
    },
    "convnet_10": {
        **CONVNET,
        "target": FEW["target"],
        "training": {"epochs": 50, "pretrain_epochs": 2},
        "strategies": ["lp_ft", "fine_tune", "linear_probe"],
    },
}


def main() -> None:
    figures: dict[str, float] = {}
    absent = {part.path for part in (MNIST, LETTERS) if not part.path.exists()}
    if absent:
        print(f"left out, there is no {' and no '.join(map(str, absent))}")
    else:
        with (
            tempfile.TemporaryDirectory(prefix="ktl-") as folder,
            running(Path(folder), **OWN) as service,
        ):
            ids = [
                service.client.datasets.upload(part.content(), of).id
                for of, part in (("source", MNIST), ("target", LETTERS))
            ]
            source, target = (service.client.datasets.wait(each).id for each in ids)
            for name in sys.argv[1:] or JOBS:
                began = time.perf_counter()
                report = run(service.client, source, target, JOBS[name])
                print(f"{name}: {time.perf_counter() - began:.0f} s; {report.reason}")
                figures |= {f"{name}_{arm}": value for arm, value in told(report).items()}
    print(json.dumps({"benchmark": "letters", "ratios": {}, "figures": figures}))


def run(client: Client, source: str, target: str, changes: Mapping[str, Any]) -> Report:
    spec: dict[str, Any] = json.loads(EXAMPLE.read_text()) | {"deploy": None}
    spec |= {"sources": [{"dataset": source}], "target": {"dataset": target}}
    for name, change in changes.items():
        is_part = name in ("target", "training")
        spec[name] = {**spec[name], **change} if is_part else change
    return report_of(client, spec)


def told(report: Report) -> dict[str, float]:
    """Prints each arm's accuracy and gain; returns the accuracies."""
    accuracies = {}
    for name, arm in report.ranked.items():
        accuracy, gain = arm.metrics["accuracy"], arm.gain
        accuracies[name] = round(accuracy.mean, 4)
        line = f"    {name:14}{accuracy.mean:.4f} [{accuracy.low:.4f}, {accuracy.high:.4f}]"
        if gain and gain.overall:
            line += f"  {gain.mean:+.4f} [{gain.overall.low:+.4f}, {gain.overall.high:+.4f}]"
        print(f"{line}{' *' if name == report.winner else ''}", flush=True)
    return accuracies


if __name__ == "__main__":
    main()
