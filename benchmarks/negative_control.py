"""A source that can teach nothing about classes: how often does a job call it positive transfer?

    python -m benchmarks.negative_control

10 jobs on each task, each with a permutation of MNIST's labels (mnist_5k from the catalogue) and
seeds of its own; target: handwritten digits of other people (digits), a few labels a class.
Strategy and backbone are `auto`, all else is the default but for what the task's name says. The
engine and the report run in this process, as a worker runs them. Wanted: no job called positive.

The images are real, so a network that learns permuted labels by heart still learns something about
images, and may start better than from random weights (Maennel et al., "What do neural networks
learn when trained with random labels?", NeurIPS 2020, arXiv:2006.10455). A positive call need not
be a false one, and is counted all the same. Beside it: the same job with the true labels. About
ten minutes.
"""

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read when numpy is loaded
    os.environ.pop(name, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402  after the environment

from app.datasets.schemas import Schema  # noqa: E402
from app.jobs.plan import PlannedTrial, plan  # noqa: E402
from app.jobs.report import Report  # noqa: E402
from app.jobs.resolution import resolve  # noqa: E402
from app.jobs.sources import SourceFacts  # noqa: E402
from app.jobs.spec import JobSpec, ResolvedSpec  # noqa: E402
from app.jobs.strategies import BASELINE, AutoArm  # noqa: E402
from app.settings import Settings  # noqa: E402
from worker.evaluation.report import TrialResult, build_report  # noqa: E402
from worker.intake.catalogue import take_in_catalogued  # noqa: E402
from worker.search.candidates import Candidate  # noqa: E402
from worker.search.run import run_search  # noqa: E402
from worker.training.checkpoint import Checkpoint  # noqa: E402
from worker.training.data import Domain, Split, cut_validation, few_labels  # noqa: E402
from worker.training.predict import logits  # noqa: E402
from worker.training.run import train  # noqa: E402
from worker.training.setup import EpochRecord, Signal, TrialSetup  # noqa: E402

JOBS = 10
TASKS: dict[str, dict[str, Any]] = {
    "10_labels": {"target": {"dataset": "catalog:digits", "labels_per_class": 10}},
    "5_labels_60_epochs": {
        "target": {"dataset": "catalog:digits", "labels_per_class": 5},
        "training": {"epochs": 60, "pretrain_epochs": 5},
    },
}


@dataclass(frozen=True)
class Dataset:
    schema: Schema
    train: Split
    test: Split

    def with_permuted_labels(self, seed: int) -> "Dataset":
        y = np.random.default_rng(seed).permutation(self.train.y)
        return replace(self, train=Split(self.train.x, y))


def main() -> None:
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        source, target = (catalogued(name, Path(folder, name)) for name in ("mnist_5k", "digits"))
        for task, changes in TASKS.items():
            began = time.perf_counter()
            spec = spec_of(changes, source.schema, target.schema, 0)
            figures[f"{task}_true_labels_gain"] = gain(run(spec, source, target, Path(folder)))
            reports = []
            for number in range(JOBS):
                spec = spec_of(changes, source.schema, target.schema, 1000 * (number + 1))
                permuted = source.with_permuted_labels(spec.seed)
                reports.append(run(spec, permuted, target, Path(folder)))
            verdicts = Counter(report.verdict for report in reports)
            gains = [gain(report) for report in reports]
            for verdict in ("positive_transfer", "no_evidence", "negative_transfer"):
                figures[f"{task}_{verdict}"] = verdicts[verdict]
            scratch = mean(report.arms[BASELINE].metrics["accuracy"].mean for report in reports)
            figures |= {f"{task}_mean_gain": mean(gains), f"{task}_scratch_accuracy": scratch}
            print(f"{task}: {time.perf_counter() - began:.0f} s")
            print(f"  permuted labels: {dict(verdicts)} of {JOBS} (wanted: 0 positive)")
            print(
                f"  gain {mean(gains):+.4f}, from {min(gains):+.4f} to {max(gains):+.4f};", end=""
            )
            print(f" with the true labels {figures[f'{task}_true_labels_gain']:+.4f}", end="")
            print(f"; accuracy of {BASELINE} {scratch:.4f}")
    ratios = {
        f"{task}_called_positive": figures[f"{task}_positive_transfer"] / JOBS for task in TASKS
    }
    rounded = {name: round(value, 4) for name, value in figures.items()}
    print(json.dumps({"benchmark": "negative_control", "ratios": ratios, "figures": rounded}))


def run(spec: ResolvedSpec, source: Dataset, target: Dataset, folder: Path) -> Report:
    """The job from its plan to its report."""
    weights: dict[int, Path] = {}
    found: dict[int, Candidate] = {}
    results: list[TrialResult] = []
    for position, planned in enumerate(plan(spec)):
        needed = None if planned.depends_on is None else weights[planned.depends_on]
        dataset = source if planned.role == "pretrain" else target
        arm = spec.arms.get(planned.arm)
        chosen = None if planned.depends_on is None else found.get(planned.depends_on)
        setup = setup_of(spec, planned, dataset, source, needed, chosen)
        journal, began = FirstValidation(), time.perf_counter()
        if planned.role == "search" and arm and isinstance(arm.strategy, AutoArm) and needed:
            found[position] = run_search(setup, arm.strategy.portfolio, journal).chosen
            weights[position] = needed
            continue
        network = train(setup, journal)
        seconds = time.perf_counter() - began
        if planned.role == "pretrain":
            weights[position] = folder / f"weights {position}.npz"
            network.save_weights(weights[position])
            continue
        validation = setup.domain.validation
        results.append(
            TrialResult(
                arm=planned.arm,
                role=planned.role,
                seed=planned.seed,
                labels_per_class=planned.labels_per_class,
                seconds=seconds,
                y_test=dataset.test.y,
                logits_test=logits(network, dataset.test.x),
                y_validation=validation.y,
                logits_validation=logits(network, validation.x),
                first_epoch=journal.values,
            )
        )
    schema = target.schema
    return build_report(spec, results, schema.classes, schema.class_counts["train"])


def setup_of(
    spec: ResolvedSpec,
    planned: PlannedTrial,
    dataset: Dataset,
    source: Dataset,
    weights: Path | None,
    chosen: Candidate | None,
) -> TrialSetup:
    """As worker/trial_run.py makes it of the stored rows."""
    labelled = dataset.train
    if planned.labels_per_class:
        labelled = labelled.select(few_labels(labelled.y, planned.labels_per_class, planned.seed))
    kept, held_out = cut_validation(labelled.y, spec.training.validation_fraction, planned.seed)
    return TrialSetup(
        spec,
        "transfer" if planned.arm in spec.arms else planned.role,
        chosen.strategy if chosen else None,
        planned.seed,
        Domain(dataset.schema, labelled.select(kept), labelled.select(held_out)),
        source=Domain(source.schema, source.train, source.train.select(np.arange(0))),
        source_classes=len(source.schema.classes),
        source_weights=weights,
    )


class FirstValidation:
    """A journal that keeps the first epoch's metrics on validation."""

    def __init__(self) -> None:
        self.values: dict[str, float] | None = None

    def signal(self) -> Signal | None:
        return None

    def moved(self, progress: float) -> None:
        pass

    def epoch_ended(
        self, records: list[EpochRecord], progress: float, snapshot: Callable[[], Checkpoint]
    ) -> None:
        validated = [record.values for record in records if record.split == "validation"]
        if self.values is None and validated:
            self.values = validated[0]


def gain(report: Report) -> float:
    if report.winner is None or (found := report.arms[report.winner].gain) is None:
        raise RuntimeError(f"expected a gain, got {report.reason}")
    return found.mean


def spec_of(changes: dict[str, Any], source: Schema, target: Schema, seed: int) -> ResolvedSpec:
    fields = {
        "sources": [{"dataset": "catalog:mnist_5k"}],
        "model": {"image_size": [16, 16]},  # the two differ in size
        "seed": seed,
    }
    return resolve(JobSpec.model_validate(fields | changes), [SourceFacts(source)], target)[0]


def catalogued(name: str, folder: Path) -> Dataset:
    folder.mkdir()
    taken = take_in_catalogued(name, Settings(data_dir=folder), folder)
    arrays = {key: np.load(path) for key, path in taken.arrays.items()}
    train, test = (Split(arrays[f"x_{split}"], arrays[f"y_{split}"]) for split in ("train", "test"))
    return Dataset(taken.schema, train, test)


if __name__ == "__main__":
    main()
