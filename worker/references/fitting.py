"""References by what their items are."""

from app.inputs.text import TextInputs
from app.spec.references import PlannedReference
from worker.references.reference import FittedReference, ReferenceModel
from worker.references.text_reference import TextReference
from worker.training.setup import TrialSetup


def fitted(reference: PlannedReference, setup: TrialSetup) -> ReferenceModel:
    """Fits on the trial's training items."""
    if isinstance(setup.target.schema.inputs, TextInputs):
        return TextReference.fit(reference, setup)
    return FittedReference.fit(reference, setup)
