"""Labels of an upload: a task a file, the twins of app.tasks."""

from collections.abc import Mapping
from typing import assert_never

from app.tasks import TaskKind
from worker.intake.raw import Array
from worker.intake.targets.classification import ClassTarget
from worker.intake.targets.contract import TargetContract
from worker.intake.targets.multi_label import LabelsTarget
from worker.intake.targets.regression import QuantityTarget


def target_of(
    kind: TaskKind, labels: Mapping[str, Array | None], class_names: Array | None, unit: str
) -> TargetContract:
    """Raises WorkFailure `dataset_invalid`."""
    match kind:
        case "classification":
            return ClassTarget.of(labels, class_names)
        case "multi_label":
            return LabelsTarget.of(labels, class_names)
        case "regression":
            return QuantityTarget(unit)
    assert_never(kind)
