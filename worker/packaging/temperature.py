"""The temperature by which a packaged network's scores are calibrated."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.models.schemas import FittedTemperature
from app.tasks import Task
from worker.evaluation.calibration import FEWEST_VALIDATION_ITEMS, fit_temperature

Arrays = Mapping[str, NDArray[Any]]


def temperature_of(own: Arrays, arm: Sequence[Arrays], task: Task) -> FittedTemperature:
    """The temperature of the trial's own validation items; where those are fewer than 20, of all
    seeds' together, whose networks were trained alike; where those are too, none.

    Args:
        own: what is stored of the packaged trial: `y_validation` (m,) and `logits_validation`
            (m, K); without `y_validation` where its labels are hidden.
        arm: the same of each of its arm's trials at its label budget, its own included.
    """
    if not task.has_classes:
        return FittedTemperature(reason=f"a temperature is of classes, not of a {task.kind}")
    labelled = [arrays for arrays in arm if "y_validation" in arrays]
    if not labelled or "y_validation" not in own:
        return FittedTemperature(reason="its validation items have no labels")
    used = [own] if len(own["y_validation"]) >= FEWEST_VALIDATION_ITEMS else labelled
    y = np.concatenate([arrays["y_validation"] for arrays in used])
    if len(y) < FEWEST_VALIDATION_ITEMS:
        reason = f"fewer than {FEWEST_VALIDATION_ITEMS} validation items over all seeds: {len(y)}"
        return FittedTemperature(items=len(y), seeds=len(used), reason=reason)
    logits = np.concatenate([arrays["logits_validation"] for arrays in used])
    return FittedTemperature(temperature=fit_temperature(y, logits), items=len(y), seeds=len(used))
