"""Which settings of the supervised strategies win over many tasks: what the defaults are from.

    python -m benchmarks.defaults_study run OUT.jsonl [--seeds 2] [--tasks usps_low_high ...]
    python -m benchmarks.defaults_study table OUT.jsonl

`run` trains each setting of each strategy on each task of benchmarks/_study_tasks.py, label budget
and seed, and adds a line for each to OUT.jsonl; what stands there is not done again, so a run may
be cut off and go on. `table` prints, for each setting, the mean regret: points of accuracy behind
the best setting of the same strategy on the same task, budget and seed mean; and how each strategy
stands to scratch. Two cores: about an hour.
"""

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec, ResolvedSpec
from app.spec.strategies import BASELINE
from app.spec.strategy_catalogue import CATALOGUE
from benchmarks._study_tasks import TASKS, StudyTask
from benchmarks.in_process import Dataset, FirstValidation
from worker.training.data import Domain, cut_validation
from worker.training.predict import outputs_of
from worker.training.run import train
from worker.training.setup import TrialSetup
from worker.trials.engine_setup import engine_setup

COSINE = {"schedule": "cosine"}
WARM = {"schedule": "cosine", "warmup_epochs": -1}  # a tenth of the epochs
WEAK, STRONG = ({"augmentation": {"strength": each}} for each in ("weak", "strong"))
RATES = (0.1, 0.3, 1.0)
Setting = tuple[str, dict[str, Any], dict[str, Any]]  # strategy, its parameters, training


def settings() -> Iterator[tuple[str, Setting]]:
    """The most telling first, so that a study of the first ones has told most."""
    rated = {"lp_ft": "finetune_rate", "fine_tune": "backbone_rate", "co_tuning": "backbone_rate"}
    whole = ("lp_ft", {"finetune_rate": 1.0})
    yield BASELINE, (BASELINE, {}, {})
    for name, param in rated.items():
        for rate in RATES:
            yield f"{name} {rate:g}", (name, {param: rate}, {})
    for name in ("l2_sp", "recalibrate", "distill"):
        yield name, (name, {}, {})
    for name, params, training, how in (
        (*whole, COSINE, "cosine"),
        ("fine_tune", {"backbone_rate": 1.0}, COSINE, "cosine"),
        (*whole, WEAK, "weak"),
        (BASELINE, {}, WEAK, "weak"),
        (*whole, STRONG, "strong"),
        (BASELINE, {}, STRONG, "strong"),
        ("linear_probe", {}, {}, ""),
        (*whole, WARM, "warm"),
        (*whole, {"min_steps": 1000}, "1000"),
        (*whole, {"ema_momentum": 0.98}, "ema"),
        ("l2_sp", {}, WEAK, "weak"),
        ("l2_sp", {"alpha": 0.1}, {}, ""),
        (*whole, {"min_steps": 250}, "250"),
        (BASELINE, {}, COSINE, "cosine"),
    ):
        yield f"{_named(name, params)} {how}".strip(), (name, params, training)


def _named(name: str, params: dict[str, Any]) -> str:
    return " ".join([name, *(f"{value:g}" for value in params.values())])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first", type=int, default=len([*settings()]), help="settings")
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    chosen = parser.parse_args()
    if chosen.what == "run":
        run(chosen.out, chosen.tasks, chosen.seeds, chosen.first)
    table(lines_of(chosen.out))


def lines_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def run(out: Path, tasks: list[str], seeds: int, first: int) -> None:
    known = {(x["task"], x["budget"], x["seed"], x["setting"]) for x in lines_of(out)}
    for name in tasks:
        task, began = TASKS[name], time.process_time()
        source, target = task.make()
        with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
            weights = [pretrained(task, source, target, n, Path(folder)) for n in range(seeds)]
            # A setting's compiled loop serves all its budgets and seeds.
            for said, setting in islice(settings(), first):
                if not applies(setting, source, target):
                    continue
                for budget, seed in product(task.budgets, range(seeds)):
                    if (name, budget, seed, said) in known:
                        continue
                    score = measured(task, setting, source, target, budget, seed, weights[seed])
                    line = {"task": name, "budget": budget, "seed": seed, "setting": said}
                    line["score"] = score
                    with out.open("a") as file:
                        file.write(json.dumps(line) + "\n")
        print(f"{name}: {time.process_time() - began:.0f} s of CPU", flush=True)


def applies(setting: Setting, source: Dataset, target: Dataset) -> bool:
    needs = CATALOGUE[setting[0]].needs if setting[0] in CATALOGUE else ()
    return "same_classes" not in needs or source.schema.classes == target.schema.classes


def job_of(task: StudyTask, setting: Setting, source: Dataset, target: Dataset) -> ResolvedSpec:
    name, params, training = setting
    strategy = {"name": "fine_tune" if name == BASELINE else name, "params": params}
    fields = {
        "sources": [{"dataset": "ds_source"}],
        "target": {"dataset": "ds_target"},
        "model": task.model,
        "strategies": [strategy],
        "training": {
            "pretrain_epochs": task.pretrain_epochs,
            "augmentation": None,
            **{key: value for key, value in training.items() if key != "warmup_epochs"},
        },
    }
    spec = JobSpec.model_validate(fields)
    return resolve(spec, [SourceFacts(source.schema)], target.schema)[0]


def pretrained(task: StudyTask, source: Dataset, target: Dataset, seed: int, folder: Path) -> Path:
    path = folder / f"weights {seed}.npz"
    job = job_of(task, ("fine_tune", {}, {}), source, target)
    domain = cut(source, job, seed)
    training = job.training.pretraining_on(len(domain.train))
    setup = engine_setup(job, "pretrain", None, seed, domain, training)
    train(setup, FirstValidation()).save_weights(path)
    return path


def cut(dataset: Dataset, job: ResolvedSpec, seed: int) -> Domain:
    schema = job.seen(dataset.schema)
    y = dataset.train.y
    kept, held_out = cut_validation(y, job.training.validation_fraction, seed)
    return Domain(schema, dataset.train.select(kept), dataset.train.select(held_out))


def measured(
    task: StudyTask,
    setting: Setting,
    source: Dataset,
    target: Dataset,
    budget: int,
    seed: int,
    weights: Path,
) -> float:
    """Accuracy on the target's test items."""
    job = job_of(task, setting, source, target)
    domain = cut(target.few_of(budget, seed), job, seed)
    training = job.training.on(len(domain.train))
    if "warmup_epochs" in setting[2]:
        training = training.model_copy(update={"warmup_epochs": max(1, training.epochs // 10)})
    role: Any = "baseline" if setting[0] == BASELINE else "transfer"
    strategy: Any = None if setting[0] == BASELINE else job.strategies[0]
    setup: TrialSetup = engine_setup(job, role, strategy, seed, domain, training)
    if strategy:
        setup = replace(setup, source_classes=len(source.schema.classes), source_weights=weights)
    network = train(setup, FirstValidation())
    outputs = outputs_of(network, target.test.items)
    return round(float((outputs.argmax(1) == target.test.y).mean()), 4)


def table(lines: list[dict[str, Any]]) -> None:
    """Prints mean regrets and stands to scratch, and the figures as JSON."""
    scores: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for line in lines:
        scores[line["task"], line["budget"], line["setting"]].append(line["score"])
    cases = sorted({key[:2] for key in scores})
    means = {key: float(np.mean(found)) for key, found in scores.items()}
    figures: dict[str, float] = {}
    print(f"{len(cases)} tasks and budgets, {len(lines)} trainings")
    print(f"{'setting':22}{'regret':>8}{'worst':>8}{'scratch':>9}{'cases':>7}")
    for said, _ in settings():
        own = said.split()[0]
        rivals = [other for other, _ in settings() if other.split()[0] == own]
        regrets, gains = [], []
        for case in cases:
            if (*case, said) not in means:
                continue
            best = max(means[*case, other] for other in rivals if (*case, other) in means)
            regrets.append(100 * (best - means[*case, said]))
            if (*case, BASELINE) in means:
                gains.append(100 * (means[*case, said] - means[*case, BASELINE]))
        if regrets:
            figures[f"{said}_regret"] = round(float(np.mean(regrets)), 2)
            print(
                f"{said:22}{np.mean(regrets):8.2f}{max(regrets):8.2f}{np.mean(gains):+9.2f}"
                f"{len(regrets):7}"
            )
    for modality in ("image", "table", "text"):
        own_cases = [case for case in cases if TASKS[case[0]].modality == modality]
        for said, _ in settings():
            found = [
                100 * (means[*case, said] - means[*case, BASELINE])
                for case in own_cases
                if (*case, said) in means and (*case, BASELINE) in means
            ]
            if found:
                print(f"  {modality:6}{said:22}{np.mean(found):+8.2f} over scratch")
    print(json.dumps({"benchmark": "defaults_study", "ratios": {}, "figures": figures}))


if __name__ == "__main__":
    main()
