"""Heart disease, from hospital to hospital; credit, from country to country.

    python -m benchmarks.hospitals [PART …] [--draws 20] [--seeds 5] [--backbone auto]
                                   [--strategies NAME …] [--without COLUMN …]

no_labels  Cleveland -> Hungary and the veterans' hospital, of whose patients no label is seen: all
           of them are adapted to, and all are the test. Also to Switzerland with `switzerland`: of
           its 123 patients 8 are healthy, so that it can show nothing
all_others the three other hospitals as one source -> Hungary, no labels
labels_20  Cleveland -> the veterans' hospital, 20 of whose patients (10 of each class) have labels,
           and all others are the test: a job per draw
credit     German -> Australian credit and back, 20 labels, the columns said to be one that may be:
           no evidence is to be expected
`--strategies`: in place of the part's own; `--without`: columns that Cleveland's patients do not
have, as for `pseudo_features`.
Everything goes through the API: one upload serves four hospitals (`from` and `where`), the service
infers columns, matches them, trains, fits its references of scikit-learn, reports. AUC on the test
items of arms and references as the reports have them; means, with 95 % t-intervals over the seeds
(of labels_20: over the draws). A cholesterol or blood pressure of 0 is written as missing. Needs
the data in KTL_TEST_DATA or ../shared/data.
"""

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from scipy import stats

from app.spec.report import Report
from benchmarks._service import DATA, Service, read, service

HEART, GERMAN, AUSTRALIAN = (
    f"tab_{name}.csv.gz"
    for name in ("heart_disease_4_hospitals", "german_credit", "australian_credit")
)
ZERO_IS_MISSING = ("chol", "trestbps")
NAMED = ("sex", "cp", "fbs", "restecg", "exang", "slope", "thal")
LABELS = 10  # labels per class
ADAPTING = ("coral", "linear_coral", "mcc", "adabn", "shot")
LABELLED = ("recalibrate", "linear_probe", "lp_ft", "multi_task")
# By the Australian's hidden names the German's that may be the same, by what their values look like
CREDIT = {"A2": "age", "A3": "duration", "A14": "credit_amount", "A13": "installment_rate"}

Found = dict[str, list[float]]  # AUC by arm or reference


@dataclass
class Hospitals:
    """The heart file as one dataset: every patient once for training and once for the test."""

    service: Service
    draws: int
    without: Sequence[str] = ()  # columns, in Cleveland's patients

    def __post_init__(self) -> None:
        rows = read(HEART)
        self.features = [name for name in rows[0] if name not in {"num", "hospital"}]
        for row in rows:
            row["sick"] = "yes" if int(row.pop("num")) else "no"
            row |= {name: "" for name in ZERO_IS_MISSING if row[name] and not float(row[name])}
        for draw in range(self.draws):
            rng = np.random.default_rng(draw)
            for row in rows:
                row[f"draw_{draw}"] = "test"
            for sick in ("no", "yes"):
                of = [r for r in rows if r["hospital"] == "va" and r["sick"] == sick]
                for place in rng.permutation(len(of))[:LABELS]:
                    of[place][f"draw_{draw}"] = "train"
        parts = [{**row, "part": part} for part in ("train", "test") for row in rows]
        ignored = {"hospital": {"kind": "category", "role": "ignored"}}
        ignored |= {f"draw_{n}": {"role": "ignored"} for n in range(self.draws)}
        self.file = self.service.upload(
            "heart",
            parts,
            columns={**dict.fromkeys(NAMED, "category"), **ignored},
            target={"column": "sick"},
            split={"column": "part"},
        )

    def cleveland(self) -> str:
        if not self.without:
            return self.of("cleveland")
        kept = [name for name in self.features if name not in self.without]
        where = {"hospital": ["cleveland"]}
        return self.service.derive("cleveland less", self.file, where=where, columns=kept)

    def of(self, *names: str) -> str:
        return self.service.derive(" ".join(names), self.file, where={"hospital": [*names]})

    def drawn(self, draw: int) -> str:
        return self.service.derive(
            f"va {draw}",
            self.file,
            where={"hospital": ["va"], "part": ["train"]},
            split={"column": f"draw_{draw}"},
        )


def aucs(report: Report) -> Found:
    arms: Mapping[str, Any] = {**report.arms, **report.references}
    return {name: [arm.metrics["auc"].mean] for name, arm in arms.items() if "auc" in arm.metrics}


def shown(title: str, report: Report) -> dict[str, float]:
    print(f"\n{title}: {report.verdict}; {report.reason}")
    figures = {}
    for kind, arms in (("arm", report.arms), ("reference", report.references)):
        for name, arm in arms.items():
            auc = arm.metrics["auc"]
            spread = "" if auc.low is None else f" [{auc.low:.3f}, {auc.high:.3f}]"
            print(f"  {kind:9} {name:22} {auc.mean:.3f}{spread}", flush=True)
            figures[f"{title}/{name}"] = auc.mean
    if report.label_free:
        print(f"  chosen without labels: {report.label_free.chosen}")
    return figures


def interval(values: list[float]) -> str:
    if len(values) < 2:
        return f"{np.mean(values):.3f}"
    half = stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
    return f"{np.mean(values):.3f} [{np.mean(values) - half:.3f}, {np.mean(values) + half:.3f}]"


def no_labels(hospitals: Hospitals, common: dict[str, Any], seeds: int, *to: str) -> Found:
    source, figures = hospitals.cleveland(), {}
    for name in to:
        figures |= _adapted(hospitals, source, name, f"no_labels {name}", common, seeds)
    return figures


def all_others(hospitals: Hospitals, common: dict[str, Any], seeds: int) -> Any:
    source = hospitals.of("cleveland", "va", "switzerland")
    return _adapted(hospitals, source, "hungarian", "all_others hungarian", common, seeds)


def _adapted(
    hospitals: Hospitals, source: str, name: str, title: str, common: dict[str, Any], seeds: int
) -> Any:
    report = hospitals.service.report(
        **{"strategies": [*ADAPTING], **common},
        sources=[{"dataset": source}],
        target={"dataset": hospitals.of(name), "use_labels": False},
        evaluation={"seeds": seeds, "pretrain_seeds": seeds, "primary_metric": "auc"},
    )
    return shown(title, report)


def labels_20(hospitals: Hospitals, common: dict[str, Any], minutes: float) -> Any:
    source, found, verdicts = hospitals.cleveland(), defaultdict(list), defaultdict(int)
    until = time.monotonic() + 60 * minutes
    for draw in range(hospitals.draws):
        if time.monotonic() > until:
            print(f"labels_20: out of time after {draw} draws")
            break
        report = hospitals.service.report(
            **{"strategies": [*LABELLED], **common},
            sources=[{"dataset": source}],
            target={"dataset": hospitals.drawn(draw)},
            evaluation={"seeds": 1, "primary_metric": "auc"},
            seed=draw,
        )
        verdicts[report.verdict] += 1
        for name, values in aucs(report).items():
            found[name] += values
        print(
            f"draw {draw}: " + ", ".join(f"{n} {v[0]:.3f}" for n, v in aucs(report).items()),
            flush=True,
        )
    print(f"\nlabels_20 va, {dict(verdicts)}")
    for name, values in found.items():
        print(f"  {name:22} {interval(values)}, n {len(values)}")
    return {f"labels_20 va/{name}": float(np.mean(values)) for name, values in found.items()}


def credit(service: Service, common: dict[str, Any], seeds: int) -> Any:
    german, australian = read(GERMAN), read(AUSTRALIAN)
    for row in german:
        row["label"] = "bad" if row.pop("credit_risk") == "2" else "good"
    for row in australian:
        row["label"] = "good" if row["label"] == "1" else "bad"
    ids = {
        "german": service.upload("german", german),
        "australian": service.upload("australian", australian),
    }
    figures: dict[str, float] = {}
    for source, target in (("german", "australian"), ("australian", "german")):
        columns = (
            CREDIT if target == "australian" else {own: other for other, own in CREDIT.items()}
        )
        spec = {
            **common,
            "sources": [{"dataset": ids[source]}],
            "target": {"dataset": ids[target], "labels_per_class": LABELS},
            "strategies": ["lp_ft", "multi_task"],
            "evaluation": {"seeds": seeds, "pretrain_seeds": seeds, "primary_metric": "auc"},
        }
        answer = service.client.post("/v1/jobs/validate", json=spec)
        print(f"\n{source} -> {target}, nothing said of columns: {answer.status_code}, "
              f"{answer.json().get('detail', 'taken')}")  # fmt: skip
        spec["sources"] = [{"dataset": ids[source], "columns": columns}]
        figures |= shown(f"credit {source} to {target}", service.report(**spec))
    return figures


def _strategy(said: str) -> Any:
    """A name, or JSON with parameters."""
    return json.loads(said) if said.startswith("{") else said


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=[])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=600.0, help="of labels_20")
    parser.add_argument("--backbone", default="auto")
    parser.add_argument("--strategies", nargs="+", type=_strategy)
    parser.add_argument("--without", nargs="+", default=())
    asked = parser.parse_args()
    common: dict[str, Any] = {"model": {"backbone": asked.backbone}}
    if asked.strategies:
        common["strategies"] = asked.strategies
    if not (DATA / HEART).exists():
        raise SystemExit(f"there is no {HEART} in {DATA}")
    figures: dict[str, float] = {}
    with service() as opened:
        hospitals = Hospitals(opened, asked.draws, asked.without)
        parts: dict[str, Callable[[], Any]] = {
            "no_labels": lambda: no_labels(hospitals, common, asked.seeds, "hungarian", "va"),
            "hungarian": lambda: no_labels(hospitals, common, asked.seeds, "hungarian"),
            "va": lambda: no_labels(hospitals, common, asked.seeds, "va"),
            "switzerland": lambda: no_labels(hospitals, common, asked.seeds, "switzerland"),
            "all_others": lambda: all_others(hospitals, common, asked.seeds),
            "labels_20": lambda: labels_20(hospitals, common, asked.minutes),
            "credit": lambda: credit(opened, common, asked.seeds),
        }
        for name in asked.parts or ("no_labels", "all_others", "labels_20", "credit"):
            figures |= parts[name]()
    print(json.dumps({"benchmark": "hospitals", "ratios": {}, "figures": figures}))


if __name__ == "__main__":
    main()
