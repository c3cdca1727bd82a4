"""Flawed data: what a job's `imbalance` and `label_noise` bring, and what an audit finds.

    python -m benchmarks.flaws        (all), or: imbalanced, flipped, audit

imbalanced  mnist_5k with training items from 400 of the digit 0 down to 4 of the digit 9, each
            class 100^(-1/9) of the one before (Cui et al.'s long tail, 100 to 1); the test items
            stay, a hundred of each. Balanced accuracy of each choice, and its gain over none.
flipped     mnist_5k with 10 % of all training labels, those held out for validation too, another
            digit at random. Accuracy on the clean test items; `recovered` is the share of what the
            flips cost (without them minus with them, both with none) that a choice brings back.
audit       all 5,000 items of mnist_5k, 10 % of the labels another digit; and none of them.
            Recall, precision, and how often the proposed label is the right one. Also the items of
            `imbalanced`, none flipped: how many of each digit are suspected.

The network is the mlp at its defaults, from random weights, 40 epochs, Adam; 10 seeds, each with
flips and validation items of its own. Gains are paired over the seeds, with the 95 % interval of a
job's report, for other seeds and other test items. Wanted: logit_adjustment's interval above 0; gce
recovers half or more; the audit's recall >= .90 at precision >= .85. Some minutes on 2 cores.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray

from app.spec.intervals import Gain
from benchmarks.in_process import Dataset, FirstValidation, labelled, pixels, resolved
from worker.audit.audit import audited, without_suspects
from worker.evaluation.report import TrialResult, build_report
from worker.training.data import Domain, Split, cut_validation
from worker.training.predict import outputs_of
from worker.training.run import train
from worker.trials.engine_setup import engine_setup

SEEDS, EPOCHS, FLIPPED, RATIO, MOST = 10, 40, 0.1, 100, 400
Figures = dict[str, float]


def main() -> None:
    parts: dict[str, Callable[[Dataset], Figures]] = {
        "imbalanced": imbalanced,
        "flipped": flipped,
        "audit": audit,
    }
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        digits = Dataset.catalogued("mnist_5k", Path(folder) / "digits")
        for name in sys.argv[1:] or parts:
            began = time.perf_counter()
            print(name)
            figures |= {f"{name}_{key}": value for key, value in parts[name](digits).items()}
            print(f"  {time.perf_counter() - began:.0f} s")
    print(json.dumps({"benchmark": "flaws", "ratios": {}, "figures": figures}))


def imbalanced(digits: Dataset) -> Figures:
    chosen = ("none", "logit_adjustment", "class_weights", "focal")
    found = {
        imbalance: [
            _trial(digits, long_tail(digits.train, seed), seed, imbalance=imbalance)
            for seed in range(SEEDS)
        ]
        for imbalance in chosen
    }
    return _told(digits, found, "balanced_accuracy")


def flipped(digits: Dataset) -> Figures:
    found: dict[str, list[TrialResult]] = {"none": [], "gce": [], "drop_suspects": [], "clean": []}
    for seed in range(SEEDS):
        wrong = _flip(digits.train, seed)[0]
        for name, trials in found.items():
            noise = "none" if name == "clean" else name
            items = digits.train if name == "clean" else wrong
            trials.append(_trial(digits, items, seed, label_noise=noise))
    figures = _told(digits, found, "accuracy")
    for name in ("gce", "drop_suspects"):
        share = figures[f"{name}_gain"] / figures["clean_gain"]
        figures[f"{name}_recovered"] = round(share, 3)
        print(f"  {name} recovers {share:.2f} of what the flips cost (wanted of gce: .5)")
    return figures


def audit(digits: Dataset) -> Figures:
    whole = labelled(
        np.concatenate([pixels(digits.train), pixels(digits.test)]),
        np.concatenate([digits.train.y, digits.test.y]),
    )
    recalls, precisions, proposals = list[float](), list[float](), list[float]()
    for seed in range(SEEDS):
        wrong, places = _flip(whole, seed)
        found = audited(digits.schema, wrong)
        hit = np.isin(found.items, places)
        recalls.append(hit.sum() / len(places))
        precisions.append(hit.mean())
        proposals.append((found.proposed == whole.y[found.items])[hit].mean())
    figures = {
        "clean_suspects": float(len(audited(digits.schema, whole))),
        **_spread("recall", recalls),
        **_spread("precision", precisions),
        **_spread("proposed", proposals),
    }
    tail = long_tail(digits.train, 0)
    rare = np.bincount(tail.y[audited(digits.schema, tail).items], minlength=10)
    print(
        f"  of {len(whole)} items with right labels {figures['clean_suspects']:.0f} are suspected"
    )
    print(f"  of the long tail's {np.bincount(tail.y)} {rare}")
    return figures


def long_tail(items: Split, seed: int) -> Split:
    counts = [round(MOST * RATIO ** (-k / 9)) for k in range(10)]
    random = np.random.default_rng(seed)
    kept = [random.permutation(np.flatnonzero(items.y == k))[:n] for k, n in enumerate(counts)]
    return items.select(np.sort(np.concatenate(kept)))


def _flip(items: Split, seed: int) -> tuple[Split, NDArray[np.int64]]:
    """A tenth of the labels another digit, and the places of these."""
    random, y = np.random.default_rng(1000 + seed), items.y.copy()
    places = random.permutation(len(y))[: round(FLIPPED * len(y))]
    y[places] = (y[places] + random.integers(1, 10, len(places))) % 10
    return Split(items.items, y, items.known), places


def _trial(digits: Dataset, items: Split, seed: int, **flaws: Any) -> TrialResult:
    """A network from random weights."""
    spec = resolved(_job(**flaws), [digits], digits)
    kept, held_out = cut_validation(items.y, spec.training.validation_fraction, seed)
    learnt = items.select(kept)
    if spec.label_noise == "drop_suspects":
        learnt, _ = without_suspects(digits.schema, learnt)
    domain = Domain(digits.schema, learnt, items.select(held_out))
    network = train(engine_setup(spec, "baseline", None, seed, domain), FirstValidation())
    return TrialResult(
        arm="scratch",
        role="baseline",
        seed=seed,
        labels_per_class=None,
        seconds=0.0,
        y_test=digits.test.y,
        logits_test=outputs_of(network, digits.test.items),
    )


def _job(**changes: Any) -> dict[str, Any]:
    return {
        "sources": [{"dataset": "digits"}],
        "target": {"dataset": "digits"},
        "model": {"backbone": "mlp"},
        "strategies": ["fine_tune"],
        "training": {"epochs": EPOCHS, "augmentation": None},
        "evaluation": {"seeds": SEEDS, "pretrain_seeds": SEEDS},
        **changes,
    }


def _told(digits: Dataset, found: dict[str, list[TrialResult]], metric: str) -> Figures:
    """The mean of each choice, and its gain over `none`."""
    figures: Figures = {}
    for name, trials in found.items():
        gain, mean = _gain(digits, trials, found["none"], metric)
        figures[name] = round(mean, 4)
        line = f"  {name:17}{metric.replace('_', ' ')} {mean:.4f}"
        if name != "none" and gain.overall:
            low, high = gain.overall.low, gain.overall.high
            figures |= {f"{name}_gain": round(gain.mean, 4), f"{name}_gain_low": round(low, 4)}
            line += f"  {gain.mean:+.4f} [{low:+.4f}, {high:+.4f}]"
        print(line)
    return figures


def _gain(
    digits: Dataset, one: list[TrialResult], other: list[TrialResult], metric: str
) -> tuple[Gain, float]:
    """By a job's report in which `one` stands as the transfer and `other` as its baseline."""
    job = _job(evaluation={"seeds": SEEDS, "pretrain_seeds": SEEDS, "primary_metric": metric})
    trials = [
        TrialResult(**{**vars(trial), "arm": arm, "role": role})
        for arm, role, of in (("fine_tune", "transfer", one), ("scratch", "baseline", other))
        for trial in of
    ]
    counts = digits.schema.class_counts["train"]
    report = build_report(resolved(job, [digits], digits), trials, digits.schema.task, counts)
    arm = report.arms["fine_tune"]
    if arm.gain is None:
        raise RuntimeError("expected a gain, got none")
    return arm.gain, arm.metrics[metric].mean


def _spread(name: str, values: list[float]) -> Figures:
    low, mean, high = min(values), float(np.mean(values)), max(values)
    print(f"  {name:10}{mean:.3f} [{low:.3f}, {high:.3f}]")
    return {name: round(mean, 4), f"{name}_lowest": round(low, 4)}


if __name__ == "__main__":
    main()
