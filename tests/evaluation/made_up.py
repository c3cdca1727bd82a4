"""Trials whose predictions are made up: right on exactly so many items as is asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.spec.spec import ResolvedSpec
from app.tasks.classification import Classification
from worker.evaluation.evidence import TrialResult
from worker.evaluation.measures import measures_of

CLASSES = ("a", "b", "c", "d")
TASK = Classification(classes=CLASSES)
MEASURES = measures_of(TASK)
COUNTS = (300, 300, 300, 33)  # training items per class
ITEMS = 400
Y = np.arange(ITEMS) % 4
Y_VALIDATION = np.arange(100) % 4


def spec(
    strategies: Sequence[str] = ("fine_tune",), labels: int | None = None, **evaluation: Any
) -> ResolvedSpec:
    evaluation.setdefault("pretrain_seeds", evaluation.get("seeds", 5))
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target", "labels_per_class": labels},
            "model": {"backbone": "mlp"},
            "strategies": [{"name": name} for name in strategies],
            "evaluation": evaluation,
        }
    )


def logits(y: np.ndarray, accuracy: float, seed: int) -> np.ndarray:
    """Right on exactly `accuracy` of the items, drawn by the seed; the next class on the others."""
    wrong = np.random.default_rng(seed).permutation(len(y)) >= round(accuracy * len(y))
    return 2 * np.eye(4, dtype=np.float32)[(y + wrong) % 4]


def trial(arm: str, seed: int, test: float, validation: float = 0.5, **more: Any) -> TrialResult:
    fields = {
        "role": "baseline" if arm == "scratch" else "transfer",
        "labels_per_class": None,
        "seconds": 1.5,
        "y_test": Y,
        "logits_test": logits(Y, test, seed),
        "y_validation": Y_VALIDATION,
        "logits_validation": logits(Y_VALIDATION, validation, seed),
    }
    return TrialResult(arm=arm, seed=seed, **{**fields, **more})


def failed(arm: str, seed: int, code: str = "diverged", labels: int | None = None) -> TrialResult:
    roles: dict[str, Any] = {"scratch": "baseline", "pretrain": "pretrain"}
    role = roles.get(arm, "transfer")
    return TrialResult(arm, role, seed, labels, 0.5, error={"code": code, "message": "NaN"})


def arm(
    name: str, accuracies: Sequence[float], validation: float = 0.5, **more: Any
) -> list[TrialResult]:
    return [trial(name, seed, test, validation, **more) for seed, test in enumerate(accuracies)]


SCRATCH = arm("scratch", [0.70, 0.71, 0.69, 0.70, 0.72])
BETTER = [0.80, 0.82, 0.80, 0.81, 0.82]
WORSE = [0.60, 0.62, 0.60, 0.61, 0.62]
SIMILAR = [0.71, 0.70, 0.70, 0.70, 0.72]
