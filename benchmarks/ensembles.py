"""What averaging an arm's seeds brings: heart disease without target labels, digits with few.

    python -m benchmarks.ensembles [PART …] [--seeds 5]

hungarian, va  Cleveland -> that hospital, no label of it seen (benchmarks/hospitals.py): AUC
distilled      the same digits, with the seeds of the winner as one network that learns their mean
digits         mnist_5k -> scikit-learn's digits, 10 labels per class, convnet, scratch, fine_tune
               and lp_ft: accuracy
Of every arm: the mean of its seeds, all of them averaged, and the gain with its 95 % interval over
test items, with these networks. Digits are packaged as an ensemble as well: bytes, milliseconds and
the error of its confidence (ece) as one network's temperature and as its own would have it.
"""

import argparse
import json
from typing import Any

import numpy as np

from app.jobs import repository
from app.models.schemas import Signature
from app.spec.spec import ResolvedSpec
from app.tables.jobs import JobRow
from app.tables.models import ModelRow
from benchmarks.hospitals import ADAPTING, Hospitals, Service, service
from worker.evaluation.archive import read_arrays
from worker.evaluation.calibration import bins_of_logits, fit_temperature
from worker.evaluation.ensembles import gain_of
from worker.evaluation.measures import measures_of
from worker.process import runner

DIGITS = {"digits": "average", "distilled": "distill"}
PARTS = ("hungarian", "va", *DIGITS)


def averaged(opened: Service, title: str, **spec: Any) -> dict[str, float]:
    answer = opened.client.post("/v1/jobs", json=spec)
    if answer.status_code != 202:
        raise SystemExit(answer.text)
    job_id = answer.json()["id"]
    runner.train(opened.place, "benchmark")
    runner.finalise(opened.place, job_id, "benchmark")
    with opened.place.database.read() as session:
        job = session.get_one(JobRow, job_id)
        trials = repository.trials(session, job_id)
        model = session.get_one(ModelRow, job.model_id)
    resolved, signature = (
        ResolvedSpec.model_validate(job.spec),
        Signature.model_validate(model.signature),
    )
    measures, name = measures_of(signature.task), resolved.evaluation.primary_metric
    figures: dict[str, float] = {}
    print(f"\n{title}, {name}")
    for arm in dict.fromkeys(t.arm for t in trials if t.role in {"baseline", "transfer", "bound"}):
        found = [
            read_arrays(opened.place.storage.local(t.predictions))
            for t in trials
            if t.arm == arm and t.role != "search" and t.predictions
        ]
        y, outputs = found[0]["y_test"], [each["logits_test"] for each in found]
        whole = measures.averaged(outputs)
        gain = gain_of(y, whole, outputs, resolved, measures)
        value = measures.measure(y, whole)[name]
        print(
            f"  {arm:18} seeds {value - gain.mean:.4f}, averaged {value:.4f}, "
            f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]",
            flush=True,
        )
        figures |= {f"{title}/{arm}": value, f"{title}/{arm}_gain": gain.mean}
        if arm == model.card["arm"] and signature.temperature and "ensemble" in model.card:
            validation = [
                np.concatenate([each[f"{of}_validation"] for each in found])
                for of in ("y", "logits")
            ]
            for said, temperature in (
                ("none", 1.0),
                ("of one network", fit_temperature(*validation)),
                ("of the ensemble", signature.temperature),
            ):
                error = bins_of_logits(y, whole / temperature).error
                print(f"    temperature {said}: {temperature:.3f}, ece {error:.4f}")
    ensemble = (job.report or {}).get("ensemble")
    if ensemble:
        print(f"  {ensemble['sentence']}\n  {ensemble['cost']}")
        if learnt := ensemble["distilled"]:
            print(f"  {learnt['sentence']}")
            figures[f"{title}/distilled"] = learnt["metrics"][name]
        else:
            print(f"  judged by {model.card['ensemble']}")
    return figures


def heart(opened: Service, name: str, seeds: int) -> dict[str, float]:
    hospitals = Hospitals(opened, 1)
    return averaged(
        opened,
        name,
        sources=[{"dataset": hospitals.of("cleveland")}],
        target={"dataset": hospitals.of(name), "use_labels": False},
        strategies=[*ADAPTING],
        evaluation={
            "seeds": seeds,
            "pretrain_seeds": seeds,
            "primary_metric": "auc",
            "references": [],
        },
    )


def digits(opened: Service, seeds: int, ensemble: str) -> dict[str, float]:
    ids = [opened.derive(name, f"catalog:{name}") for name in ("mnist_5k", "digits")]
    return averaged(
        opened,
        f"digits, {ensemble}",
        sources=[{"dataset": ids[0]}],
        target={"dataset": ids[1], "labels_per_class": 10},
        model={"backbone": "convnet", "image_size": [16, 16]},
        strategies=["fine_tune", "lp_ft"],
        training={"pretrain_epochs": 5, "augmentation": None},
        evaluation={"seeds": seeds},
        deploy={"name": "digits", "when": "always", "ensemble": ensemble},
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=[*PARTS])
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    figures: dict[str, float] = {}
    with service() as opened:
        for name in asked.parts:
            figures |= (
                digits(opened, asked.seeds, DIGITS[name])
                if name in DIGITS
                else heart(opened, name, asked.seeds)
            )
    print(json.dumps({"benchmark": "ensembles", "ratios": {}, "figures": figures}))


if __name__ == "__main__":
    main()
