"""Digits without target labels, MNIST to USPS and back, beside the library adapt.

    python -m benchmarks.uda_digits            (all), or: mnist_to_usps, usps_to_mnist,
                                               mnist_to_usps_resplit
    python -m benchmarks.uda_digits plain ...  (ours alone, without augmentation)

Ours: a job a direction through `ktl up`, all seven strategies (`adamatch` also with as many items
of the source as of the target in a step) and both bounds, 3 seeds with a pretraining each, images
moved by up to two pixels (`training.augmentation`, weak). adapt 0.4.5, left out where it is not
installed: DANN, CDAN and MCD in a process of their own, scored with predict(), as its logged
accuracy is wrong. It augments nothing, so beside it stands a second job of ours: the methods that
both have, without augmentation (`plain_`).

The same for all: images of 16x16, as USPS has them; the convnet 32-64 with 256 features; a
discriminator 500-500-1 with BatchNorm; batch 64; nine tenths of the training items (the job keeps
the rest, without labels, to choose by); the test items; and as many steps of adapting: an epoch of
adapt's is a pass over the larger domain, one of ours over the target. A trial and a fit have all
cores, one after the other.
What differs: ours begin from the source's network, and the seconds of its pretraining are counted
for every trial, whole; adapt's DANN and CDAN learn the source while they adapt, its MCD has a
pretraining too. Ours have their defaults otherwise. adapt has its trade-offs and Adam 1e-3; in
trials with one seed, MNIST to USPS, the papers' SGD and rising trade-off, and a discriminator
without BatchNorm, were less accurate.

mnist_to_usps_resplit, ours alone: USPS's official test items (2,007) are harder than its training
items. The copy that papers on adaptation use has 7,438 and 1,860 items, so it was parted anew; here
all items are, by chance, a fifth for testing.

Per method: accuracy on the target's test items in percent, mean [lowest, highest of the seeds], and
mean seconds. Ratios are adapt's seconds over the plain job's (higher: ours is faster), with our
pretraining, and (`adapting`) without it. Needs mnist.npz and usps.npz in KTL_TEST_DATA or
../shared/data, and says so where they are absent. About 20 minutes a direction on 2 cores.
"""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read when numpy is loaded
    os.environ.pop(name, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from app.client import Client  # noqa: E402  after the environment
from app.spec.report import LabelFreeChoice  # noqa: E402
from benchmarks._digits import (  # noqa: E402
    BATCH,
    DIRECTIONS,
    HELD_OUT,
    HIDDEN,
    METHODS,
    NETWORK,
    SEEDS,
    Direction,
)
from benchmarks.evidence import OWN  # noqa: E402
from tests.system.service import running  # noqa: E402

SHARED: list[dict[str, Any]] = [  # with adapt; they have a discriminator
    {"name": name, "params": {"hidden": HIDDEN}} for name in METHODS
]
STRATEGIES = [
    *SHARED,
    *({"name": name} for name in ("adabn", "coral", "mcc", "shot", "adamatch")),
    {"name": "adamatch", "params": {"ratio": 1}},
]
AUGMENTATION, PLAIN = {"strength": "weak"}, "plain_"
WANTED_PERCENT, WANTED_SPEED = 97.5, 3.0


@dataclass(frozen=True)
class Outcome:
    """One method's, a value a seed."""

    accuracies: list[float]
    seconds: list[float]  # of adapting, with the pretraining it starts from
    pretraining: float = 0.0  # mean seconds of that

    @property
    def accuracy(self) -> float:
        return statistics.mean(self.accuracies)

    @property
    def mean_seconds(self) -> float:
        return statistics.mean(self.seconds)

    def __str__(self) -> str:
        low, high = min(self.accuracies), max(self.accuracies)
        spread = f"{100 * self.accuracy:6.2f} [{100 * low:.2f}, {100 * high:.2f}]"
        before = f", {self.pretraining:.1f} of them pretraining" if self.pretraining else ""
        return f"{spread}  {self.mean_seconds:6.1f} s{before}"


def main() -> None:
    words = sys.argv[1:]
    only_plain = "plain" in words
    named = {name: DIRECTIONS[name] for name in words if name != "plain"} or dict(DIRECTIONS)
    if absent := sorted({str(f) for way in named.values() for f in way.files if not f.exists()}):
        print(f"left out, there is no {' and no '.join(absent)}")
        named = {}
    figures: dict[str, float] = {}
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        for name, way in named.items():
            workdir = Path(folder) / name
            workdir.mkdir()
            ours, choice = job(way, workdir, STRATEGIES, None if only_plain else AUGMENTATION)
            theirs = library(name) if way.library_epochs and not only_plain else {}
            if theirs:
                plain, _ = job(way, workdir, SHARED, None)
                ours |= {f"{PLAIN}{method}": plain[method] for method in METHODS}
            show(name, ours, theirs, choice)
            figures |= figures_of(name, ours, theirs, choice)
            for method in METHODS if theirs else ():
                mine, its = ours[f"{PLAIN}{method}"], theirs[method]
                whole = its.mean_seconds / mine.mean_seconds
                adapting = its.mean_seconds / (mine.mean_seconds - mine.pretraining)
                ratios[f"{name}_{method}_vs_adapt"] = round(whole, 2)
                ratios[f"{name}_{method}_adapting_vs_adapt"] = round(adapting, 2)
                print(
                    f"  {method} against adapt's: {whole:.2f} (wanted: >= {WANTED_SPEED:g}), "
                    f"{adapting:.2f} without the pretraining"
                )
    print(json.dumps({"benchmark": "uda_digits", "ratios": ratios, "figures": figures}))


def job(
    way: Direction,
    folder: Path,
    strategies: list[dict[str, Any]],
    augmentation: dict[str, str] | None,
) -> tuple[dict[str, Outcome], LabelFreeChoice]:
    with running(folder, **OWN, KTL_TRAINING_SLOTS="1") as service:
        client = service.client
        source, target = (
            client.datasets.wait(client.datasets.upload([f]).id).id for f in way.uploads(folder)
        )
        spec: dict[str, Any] = {
            "sources": [{"dataset": source}],
            "target": {"dataset": target, "use_labels": False},
            "model": NETWORK.model_dump(),
            "strategies": strategies,
            "training": {
                "epochs": way.epochs,
                "pretrain_epochs": way.pretrain_epochs,
                "batch_size": BATCH,
                "validation_fraction": HELD_OUT,
                "augmentation": augmentation,
            },
            "evaluation": {"seeds": SEEDS, "pretrain_seeds": SEEDS},
        }
        began = time.perf_counter()
        ended = client.jobs.wait(client.jobs.submit(spec).id)
        print(f"{way.source} to {way.target}: the job took {time.perf_counter() - began:.0f} s")
        report = client.jobs.report(ended.id)
        if ended.status != "succeeded" or report.missing or report.label_free is None:
            raise RuntimeError(f"expected all results, got {ended.error}, {report.missing}")
        return outcomes(client, ended.id), report.label_free


def outcomes(client: Client, job_id: str) -> dict[str, Outcome]:
    """By arm. A pretraining's seconds count for each trial that starts from it."""
    trials = client.jobs.trials(job_id)
    seconds = {trial.id: trial.seconds for trial in trials}
    found: dict[str, Outcome] = {}
    for arm in dict.fromkeys(trial.arm for trial in trials if trial.test):
        own = [trial for trial in trials if trial.arm == arm]
        before = [seconds[trial.depends_on] if trial.depends_on else 0.0 for trial in own]
        found[arm] = Outcome(
            [trial.test["accuracy"] for trial in own if trial.test],
            [trial.seconds + earlier for trial, earlier in zip(own, before, strict=True)],
            statistics.mean(before),
        )
    return found


def library(direction: str) -> dict[str, Outcome]:
    """adapt's methods; none where it is not installed."""
    if importlib.util.find_spec("adapt") is None:
        print("adapt is left out: it is not installed")
        return {}
    # Keras warns that it shuffles no tf.data.Dataset.
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks._adapt", direction]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(answer.stdout.splitlines()[-1])
    return {method: Outcome(*by_seed) for method, by_seed in found.items()}


def show(
    direction: str,
    ours: dict[str, Outcome],
    theirs: dict[str, Outcome],
    choice: LabelFreeChoice,
) -> None:
    for arm, outcome in sorted(ours.items(), key=lambda item: -item[1].accuracy):
        print(f"  {arm:20}{outcome}")
    for method, outcome in theirs.items():
        print(f"  {f'adapt {method}':20}{outcome}")
    chosen = 100 * ours[choice.chosen].accuracy
    print(f"  {direction}: without labels {choice.rule} chooses {choice.chosen}, {chosen:.2f} %")
    print(f"    (wanted: >= {WANTED_PERCENT:g}); with the test's labels: {choice.oracle}")


def figures_of(
    direction: str,
    ours: dict[str, Outcome],
    theirs: dict[str, Outcome],
    choice: LabelFreeChoice,
) -> dict[str, float]:
    """Percent, and seconds of a trial with its pretraining."""
    named = ours | {f"adapt_{method}": outcome for method, outcome in theirs.items()}
    figures = {f"best_label_free_{direction}": round(100 * ours[choice.chosen].accuracy, 2)}
    for name, outcome in named.items():
        figures[f"{direction}_{name}"] = round(100 * outcome.accuracy, 2)
        figures[f"{direction}_{name}_seconds"] = round(outcome.mean_seconds, 1)
    return figures


if __name__ == "__main__":
    main()
