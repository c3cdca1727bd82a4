"""Sources that can teach nothing new: how often does a job call one positive transfer?

    python -m benchmarks.negative_control                 (all kinds at 3, 10 and 60 epochs)
    python -m benchmarks.negative_control --network convnet --kinds permuted own --epochs 3
    python -m benchmarks.negative_control --augmentation auto

Target: handwritten digits (catalog:digits, 8x8 pixels), 10 labels per class, drawn anew for every
job; 3 seeds, lp_ft and fine_tune, of which validation chooses. The network is an MLP with BatchNorm
in its bottleneck, whose jobs take seconds; a convnet's take a quarter of a minute. Sources:

permuted    catalog:mnist_5k, 100 items per class, their labels permuted
constant    the same items and labels, every picture the same grey
own         the very training items of the target, with their labels
transposed  the same with rows and columns exchanged

`transposed` takes the target's pictures, not MNIST's: what the strokes of other digits look like is
something new, and a gain from it is no mistake. The pictures of `permuted` are real as well, so
such a network may start better than random weights (Maennel et al., "What do neural networks learn
when trained with random labels?", NeurIPS 2020, arXiv:2006.10455); all the same it is counted.
Wanted: no positive verdict. At 95 % confidence an exact interval gives one in 40 jobs by chance.

Beside them, one job per number of epochs with MNIST's own labels (`true`), which may help. The
engine and the report run in this process; the first job of a kind compiles for the others.
"""

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any, get_args

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read when numpy is loaded
    os.environ.pop(name, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from app.spec.report import Report, Verdict  # noqa: E402  after the environment
from app.spec.strategies import BASELINE  # noqa: E402
from benchmarks.in_process import Dataset, Runner, constant, resolved, transposed  # noqa: E402

JOBS, EPOCHS, SEEDS = 20, (3, 10, 60), 3
LABELS_PER_CLASS, SOURCE_ITEMS_PER_CLASS = 10, 100
# (MNIST's items, the target's training items, a seed) -> the source
KINDS: dict[str, Callable[[Dataset, Dataset, int], Dataset]] = {
    "permuted": lambda mnist, target, seed: mnist.permuted(seed),
    "constant": lambda mnist, target, seed: mnist.redrawn(constant),
    "own": lambda mnist, target, seed: target,
    "transposed": lambda mnist, target, seed: target.redrawn(transposed),
}
TRUE = "true"
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"backbone": "mlp", "params": {"hidden": [64]}, "bottleneck": 32},
    "convnet": {"backbone": "convnet", "params": {"filters": [8, 16], "dense": 32}},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--epochs", nargs="+", type=int, default=list(EPOCHS))
    parser.add_argument("--network", choices=list(NETWORKS), default="mlp")
    parser.add_argument(
        "--augmentation", choices=["auto"], help="chosen by held-out items; otherwise none"
    )
    parser.add_argument("--jobs", type=int, default=JOBS, help="of each kind and number of epochs")
    chosen = parser.parse_args()
    figures: dict[str, float] = {}
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        mnist, digits = (
            Dataset.catalogued(name, Path(folder, name)) for name in ("mnist_5k", "digits")
        )
        for epochs in chosen.epochs:
            for kind in (TRUE, *chosen.kinds):
                jobs, began = 1 if kind == TRUE else chosen.jobs, time.perf_counter()
                reports = [
                    run(kind, epochs, number, (mnist, digits), chosen.network, chosen.augmentation)
                    for number in range(jobs)
                ]
                seconds = (time.perf_counter() - began) / jobs
                figures |= figures_of(f"{kind}_{epochs}_epochs", reports, seconds)
                if kind != TRUE:
                    called = figures[f"{kind}_{epochs}_epochs_positive_transfer"]
                    ratios[f"{kind}_{epochs}_epochs_called_positive"] = round(called / jobs, 4)
    print(json.dumps({"benchmark": "negative_control", "ratios": ratios, "figures": figures}))


def run(
    kind: str,
    epochs: int,
    number: int,
    data: tuple[Dataset, Dataset],
    network: str,
    augmentation: str | None,
) -> Report:
    (mnist, digits), seed = data, 1000 * (number + 1)
    target = digits.few(LABELS_PER_CLASS, seed)
    items = mnist.few(SOURCE_ITEMS_PER_CLASS, seed)
    source = items if kind == TRUE else KINDS[kind](items, target, seed)
    fields = {
        "sources": [{"dataset": "ds_source"}],
        "target": {"dataset": "ds_target"},
        "model": {**NETWORKS[network], "image_size": digits.schema.inputs.shape[:2]},
        "strategies": ["lp_ft", "fine_tune"],
        "training": {"epochs": epochs, "augmentation": augmentation},
        "evaluation": {"seeds": SEEDS},
        "seed": seed,
    }
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        return Runner(Path(folder)).run(resolved(fields, [source], target), [source], target)


def figures_of(name: str, reports: list[Report], seconds: float) -> dict[str, float]:
    """Prints them as well."""
    verdicts = Counter(report.verdict for report in reports)
    gains = [gain(report) for report in reports]
    scratch = mean(report.arms[BASELINE].metrics["accuracy"].mean for report in reports)
    print(f"{name}: {dict(verdicts)}, {seconds:.1f} s per job")
    print(f"  gain {mean(gains):+.4f}, from {min(gains):+.4f} to {max(gains):+.4f}", end="")
    print(f"; accuracy of {BASELINE} {scratch:.4f}", flush=True)
    found = {str(verdict): float(verdicts[verdict]) for verdict in get_args(Verdict)}
    found |= {"mean_gain": mean(gains), "scratch_accuracy": scratch}
    return {f"{name}_{key}": round(value, 4) for key, value in found.items()}


def gain(report: Report) -> float:
    if report.winner is None or (found := report.arms[report.winner].gain) is None:
        raise RuntimeError(f"expected a gain, got {report.reason}")
    return found.mean


if __name__ == "__main__":
    main()
