"""A reference's trial: a model without the job's network, on the items that the arms have."""

from app.storage import Storage
from worker.evaluation.predictions import HeldOut, Predictions, held_out
from worker.references.fitting import fitted
from worker.training.data import Split
from worker.training.setup import Signal, TrialSetup
from worker.trials.journal import TrialJournal
from worker.trials.setup import target_test
from worker.trials.trial_data import TrialData


def predictions_of(
    setup: TrialSetup, data: TrialData, storage: Storage, journal: TrialJournal
) -> Predictions:
    """Labels, where there are some, and outputs of validation and test items. The test items are
    read once, after the model was fitted. Raises Interrupted where the journal signals."""

    def signal() -> Signal | None:
        found = journal.signal()
        if found is Signal.PAUSE:
            journal.release()
        return found

    reference = fitted(data.spec.references[data.trial.arm], setup, signal)
    splits: dict[HeldOut, Split] = {
        "validation": setup.target.validation,
        "test": target_test(storage, data),
    }
    found = Predictions()
    for name, split in splits.items():
        found |= held_out(name, split.y if split.is_labelled else None, reference.outputs(split))
    return found
