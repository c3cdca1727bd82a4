"""How many labels an order of labelling saves.

    python -m benchmarks.next_labels [SEEDS]        (10)

The handwritten letters A to M, from MNIST: a convnet is trained on the first 10,000 digits (2
epochs) and frozen; a linear probe on its features learns 13 letters, drawn at random, then 13 more
at a time, up to 260, of 8,000; it is measured on 2,000 others. All orders share a seed's first
letters. `random` against the two rules of
`POST /v1/jobs/{id}/next_labels`. Told: accuracy, labels saved to reach what random order has with
260 (by straight lines of the means, and by each seed's own curve with a 95 % interval), and the
gain over all numbers of labels.

Needs the data in KTL_TEST_DATA or ../shared/data, and says so where it is absent. About a
minute per seed where the cores are shared; 5 seeds took 5.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from threadpoolctl import threadpool_limits

from app.spec.plan import plan
from benchmarks.in_process import Dataset, FirstValidation, labelled, resolved, setup_of
from worker.evaluation.statistics import mean_interval
from worker.labelling.choice import Rule, rules_of
from worker.labelling.embeddings import Floats
from worker.labelling.simulation import Course, Simulated, standardised
from worker.labelling.worth import saved
from worker.training.predict import features
from worker.training.run import train

DATA = Path(os.environ.get("KTL_TEST_DATA", "../shared/data"))
SOURCE, TARGET = "mnist", "emnist_letters_a_to_m"
SOURCE_ITEMS, SEEDS = 10_000, 10
LABELS = np.arange(13, 261, 13)


def main() -> None:
    if absent := [name for name in (SOURCE, TARGET) if not (DATA / f"{name}.npz").exists()]:
        print(f"left out, there is no {' and no '.join(absent)} in {DATA}")
        return
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    began = time.perf_counter()
    target = read(TARGET)
    known = standardised(np.concatenate(features_of(read(SOURCE, SOURCE_ITEMS), target)))
    pool, test = known[: len(target.train)], known[len(target.train) :]
    task, figures = target.schema.task, dict[str, float]()
    curves: dict[Rule | None, Floats] = {}
    for rule in (None, *rules_of(task)):
        rows = list[list[float]]()
        with threadpool_limits(1):
            for seed in range(seeds):
                drawn = np.random.default_rng(seed).permutation(len(pool))
                of_pool = pool[drawn], target.train.y[drawn]
                course = Course(task, "accuracy", of_pool, (test, target.test.y), LABELS, seed)
                rows.append(course.values(rule))
        curves[rule] = np.array(rows)
        name, mean = rule or "random", curves[rule].mean(axis=0)
        shown = "  ".join(f"{LABELS[k]}: {mean[k]:.3f}" for k in (0, 1, 3, 5, 7, 9, 14, 19))
        print(f"{name:9} {shown}  ({time.perf_counter() - began:.0f} s)", flush=True)
        figures[f"{name}_260"] = round(float(mean[-1]), 4)
        if rule:
            figures |= against_random(rule, curves[rule], curves[None])
    print(json.dumps({"benchmark": "next_labels", "ratios": {}, "figures": figures}))


def read(name: str, items: int | None = None) -> Dataset:
    data = np.load(DATA / f"{name}.npz")
    train, test = (
        labelled(data[f"x_{of}"][:items, ..., None], data[f"y_{of}"][:items].astype(np.int32))
        for of in ("train", "test")
    )
    return Dataset.of(name, train, test)


def features_of(source: Dataset, target: Dataset) -> list[Floats]:
    """Of the target's training and test items, by a network that has learnt the source."""
    fields = {
        "sources": [{"dataset": "ds_1"}],
        "target": {"dataset": "ds_2"},
        "model": {"backbone": "convnet"},
        "strategies": ["linear_probe"],
        "training": {"pretrain_epochs": 2, "epochs": 1, "augmentation": None},
        "evaluation": {"seeds": 1},
    }
    spec = resolved(fields, [source], target)
    network = train(setup_of(spec, plan(spec)[0], source, target, None, None), FirstValidation())
    return [features(network, split.items).astype(float) for split in (target.train, target.test)]


def against_random(rule: Rule, ordered: Floats, random: Floats) -> dict[str, float]:
    """`ordered` and `random`: (seeds, steps)."""
    goal = float(random.mean(axis=0)[-1])
    needed = [_needed(curve, goal) for curve in ordered]
    reached = [labels for labels in needed if labels is not None]
    whole = saved(Simulated(rule, LABELS, ordered, random), sign=1)
    gain = mean_interval((ordered - random)[:, 1:].mean(axis=1), 0.95)
    print(f"  {rule}: random order has {goal:.4f} with 260 labels; saved on the mean: {whole}")
    if len(reached) > 1:
        spread = mean_interval([260 - labels for labels in reached], 0.95)
        print(
            f"  seed by seed ({len(reached)} of {len(needed)} reach it): {spread.mean:.0f} "
            f"[{spread.low:.0f}, {spread.high:.0f}]"
        )
    print(f"  gain over 26 to 260 labels {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]")
    return {
        f"{rule}_saved": float(whole or 0),
        f"{rule}_gain": round(gain.mean, 4),
        f"{rule}_gain_low": round(gain.low or 0.0, 4),
    }


def _needed(curve: Floats, goal: float) -> float | None:
    reached = np.flatnonzero(curve >= goal)
    if not len(reached):
        return None
    step = int(reached[0])
    if not step:
        return float(LABELS[0])
    rise = (goal - curve[step - 1]) / (curve[step] - curve[step - 1])
    return float(LABELS[step - 1] + rise * (LABELS[step] - LABELS[step - 1]))


if __name__ == "__main__":
    main()
