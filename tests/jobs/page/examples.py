"""Reports made by hand, of the shape and size of real ones."""

from math import sqrt
from random import Random
from string import ascii_lowercase
from typing import Any

from app.database import now
from app.identifiers import new_id
from app.jobs.schemas import JobOut
from app.spec.figures import Bin, CalibrationOut, Cost, LabelsToReach, Missing, Reference
from app.spec.intervals import Bounds, Gain, Interval
from app.spec.report import Arm, ClassMetrics, CurvePoint, Report
from app.spec.spec import Choice

LETTERS = tuple(ascii_lowercase)
BUDGETS = {5: 130, 10: 260, 50: 1300, None: 20_800}
# accuracy by rising budget
ACCURACY = {
    "scratch": (0.548, 0.655, 0.812, 0.913),
    "fine_tune": (0.601, 0.694, 0.835, 0.921),
    "lp_ft": (0.662, 0.741, 0.846, 0.919),
}
ITEMS = 100  # test items per class


def job(**changes: Any) -> JobOut:
    fields: dict[str, Any] = {
        "id": new_id("job"),
        "name": "digits to letters",
        "status": "succeeded",
        "stage": "ended",
        "progress": 1.0,
        "eta_seconds": 0.0,
        "trials": {"succeeded": 61},
        "error": None,
        "spec": {
            "sources": [{"dataset": "catalog:mnist"}],
            "target": {"dataset": "catalog:emnist_letters", "labels_per_class": 5},
            "model": {"backbone": "convnet", "params": {"filters": [32, 64], "dense": 128}},
            "strategies": [{"name": "fine_tune"}, {"name": "lp_ft"}],
            "evaluation": {"seeds": 5, "learning_curve": [10, 50, None]},
        },
        "selection": [],
        "sources": [new_id("ds")],
        "source_names": ["digits"],
        "target": new_id("ds"),
        "target_name": "letters",
        "report": "/v1/jobs/job_1/report",
        "models": [new_id("mdl")],
        "deployment": "letters",
        "tags": {},
        "created_at": now(),
        "started_at": now(),
        "ended_at": now(),
    }
    return JobOut.model_validate(fields | changes)


def report(
    classes: tuple[str, ...] = LETTERS,
    seeds: int = 5,
    baseline: bool = True,
    curve: bool = True,
    calibrated: bool = True,
    **changes: Any,
) -> Report:
    """lp_ft wins over scratch with 5 labels per class; `changes` are members of the report."""
    names = [name for name in ACCURACY if baseline or name != "scratch"]
    arms = {name: _arm(name, classes, seeds, baseline, calibrated, curve) for name in names}
    budgets = list(BUDGETS.items()) if curve else list(BUDGETS.items())[:1]
    gain = arms["lp_ft"].gain
    numbers = f"by {gain.mean:.4f} accuracy, 95 % interval [+0.0914, +0.1366]" if gain else ""
    fields: dict[str, Any] = {
        "verdict": "positive_transfer" if baseline else "no_evidence",
        "reason": f"lp_ft beats scratch {numbers}" if baseline else "no baseline to compare with",
        "primary_metric": "accuracy",
        "confidence": 0.95,
        "labels_per_class": 5,
        "labels": 130,
        "test_items": ITEMS * len(classes),
        "classes": list(classes),
        "baseline": "scratch" if baseline else None,
        "winner": "lp_ft",
        "winner_seed": 3,
        "arms": arms,
        "learning_curve": [
            CurvePoint(
                labels_per_class=budget,
                labels=labels,
                arms={name: interval(ACCURACY[name][k], 0.016 / (k + 1), seeds) for name in names},
                gains={name: _gain(name, k, seeds) for name in names[1:]} if baseline else {},
            )
            for k, (budget, labels) in enumerate(budgets)
        ],
        "multiplicity": "2 arms were compared with scratch; their p-values are corrected (Holm).",
        "selection": [
            Choice(field="model.backbone", chosen="convnet", reason="images, and many of them")
        ],
        "stop_reason": None,
        "missing": [],
        "warnings": [],
        "trials_failed": 0,
        "seconds": 754.3,
    }
    return Report.model_validate(fields | changes)


def interval(mean: float, half: float, n: int) -> Interval:
    known = n > 1
    return Interval(
        mean=mean, low=mean - half if known else None, high=mean + half if known else None, n=n
    )


def _gain(name: str, budget: int, seeds: int) -> Gain:
    mean = ACCURACY[name][budget] - ACCURACY["scratch"][budget]
    known = seeds > 1
    half = 0.02 / (budget + 1)
    return Gain(
        **interval(mean, half * 0.7, seeds).model_dump(),
        bootstrap=Bounds(low=mean - half * 0.8, high=mean + half * 0.85),
        overall=Bounds(low=mean - half * 1.12, high=mean + half * 1.15) if known else None,
        p_value=0.0004 if known else None,
        p_holm=0.0008 if known else None,
    )


def _arm(
    name: str, classes: tuple[str, ...], seeds: int, baseline: bool, calibrated: bool, curve: bool
) -> Arm:
    accuracy = ACCURACY[name][0]
    compared = baseline and name != "scratch"
    values = {
        "loss": (1.62, 0.05),
        "accuracy": (accuracy, 0.016),
        "precision_macro": (accuracy + 0.008, 0.015),
        "recall_macro": (accuracy, 0.016),
        "f1_macro": (accuracy - 0.006, 0.017),
        "balanced_accuracy": (accuracy, 0.016),
        "ece": (0.081, 0.009),
    }
    random = Random(name)
    reached = None
    if compared and curve:
        reached = LabelsToReach(
            labels=130,
            metric=accuracy,
            scratch_labels=286.0,
            ratio=2.2,
            bound=None,
            sentence=f"scratch needs 2.2 times the labels of {name}",
        )
    return Arm(
        metrics={key: interval(mean, half, seeds) for key, (mean, half) in values.items()},
        validation=interval(accuracy + 0.01, 0.03, seeds),
        gain=_gain(name, 0, seeds) if compared else None,
        transfer_ratio=accuracy / ACCURACY["scratch"][0] if compared else None,
        jumpstart=0.183 if compared else None,
        labels_to_reach=reached,
        per_class=[_class(label, accuracy, seeds, compared, random) for label in classes],
        confusion=_confusion(len(classes), seeds, accuracy, random),
        calibration=_calibration(random) if calibrated else None,
        cost=Cost(trials=48.2, pretraining=0.0 if name == "scratch" else 96.5, epochs=37.4),
    )


def _class(label: str, accuracy: float, seeds: int, compared: bool, random: Random) -> ClassMetrics:
    f1 = min(1.0, max(0.0, random.gauss(accuracy, 0.12)))
    gain = random.gauss(ACCURACY["lp_ft"][0] - ACCURACY["scratch"][0], 0.09)
    return ClassMetrics(
        label=label,
        precision=f1,
        recall=f1,
        f1=f1,
        support=ITEMS,
        gain=interval(gain, random.uniform(0.03, 0.09), seeds) if compared else None,
    )


def _confusion(classes: int, seeds: int, accuracy: float, random: Random) -> list[list[int]]:
    total = ITEMS * seeds
    matrix = [[0] * classes for _ in range(classes)]
    for true in range(classes):
        wrong = round(total * (1 - accuracy)) if classes > 1 else 0
        for _ in range(wrong):
            other = (true + 1 + int(random.expovariate(0.5))) % classes
            matrix[true][other] += other != true
        matrix[true][true] = total - sum(matrix[true])
    return matrix


def _calibration(random: Random) -> CalibrationOut:
    def bins(over: float) -> list[Bin]:
        made = []
        for k in range(15):
            confidence = (k + 0.5) / 15
            items = 0 if k == 0 else round(900 * sqrt(confidence) * random.uniform(0.7, 1.3))
            right = min(1.0, max(0.0, confidence - over * confidence + random.gauss(0, 0.02)))
            made.append(
                Bin(
                    low=k / 15,
                    high=(k + 1) / 15,
                    items=items,
                    confidence=confidence if items else None,
                    accuracy=right if items else None,
                )
            )
        return made

    return CalibrationOut(
        temperature=1.42,
        ece_before=0.0812,
        ece_after=0.0213,
        bins_before=bins(0.15),
        bins_after=bins(0.01),
    )


def incomplete() -> Report:
    """The budget of seconds ran out, and one trial diverged."""
    return report(
        stop_reason="budget",
        missing=[
            Missing(arm="fine_tune", labels_per_class=None, seeds=[3, 4], code="budget"),
            Missing(arm="lp_ft", labels_per_class=50, seeds=[2], code="diverged"),
        ],
        warnings=["3 seeds: with fewer than 5 the spread over seeds is poorly known"],
        trials_failed=1,
    )


def unequal() -> Report:
    """Half of the test items are `a`, none is `z`, which has no training item either; lp_ft was
    trained twice as long, and is one of so many arms that its corrected p-value is not small."""
    made = report()
    arms = {}
    for name, arm in made.arms.items():
        rows = [row.model_copy(update={"training_items": 5}) for row in arm.per_class]
        unknown = {"precision": None, "recall": None, "f1": None, "gain": None}
        rows[-1] = rows[-1].model_copy(update=unknown | {"support": 0, "training_items": 0})
        cost = arm.cost.model_copy(update={"steps": 1000.0, "head_steps": 0.0})
        gain = arm.gain and arm.gain.model_copy(update={"p_value": 0.031, "p_holm": 0.23})
        arms[name] = arm.model_copy(update={"per_class": rows, "cost": cost, "gain": gain})
    cost = arms["lp_ft"].cost.model_copy(update={"steps": 2000.0, "head_steps": 300.0})
    arms["lp_ft"] = arms["lp_ft"].model_copy(update={"cost": cost})
    reference = Reference(
        chance=1 / 26,
        majority_class="a",
        majority={"accuracy": 0.5, "balanced_accuracy": 0.04, "f1_macro": 0.0267},
        is_unequal=True,
        not_above=[],
    )
    return report(arms=arms, reference=reference)
