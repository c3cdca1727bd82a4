"""A reference's trial: a model of scikit-learn on the items that the arms' trials have."""

from typing import Any

from app.storage import Storage
from worker.references.reference import FittedReference
from worker.training.setup import TrialSetup
from worker.trials.setup import TrialData, target_test


def predictions_of(setup: TrialSetup, data: TrialData, storage: Storage) -> dict[str, Any]:
    """Labels, where there are some, and outputs of validation and test items. The test items are
    read once, after the model was fitted."""
    fitted = FittedReference.fit(data.spec.references[data.trial.arm], setup)
    results: dict[str, Any] = {}
    for name, split in (
        ("validation", setup.domain.validation),
        ("test", target_test(storage, data)),
    ):
        if split.is_labelled:
            results[f"y_{name}"] = split.y
        results[f"logits_{name}"] = fitted.outputs(split)
    return results
