"""Measure of how much of the source a network still knows after the transfer."""

import numpy as np

from app.storage import Storage
from worker.backbones.network import Architecture
from worker.evaluation.predictions import Predictions
from worker.training.predict import outputs_of
from worker.training.program import program_of, shared_network
from worker.training.setup import TrialSetup
from worker.trials.setup import source_split
from worker.trials.trial_data import TrialData


def forgetting(storage: Storage, setup: TrialSetup, data: TrialData) -> Predictions:
    """Predictions of the trial that this process has just trained: `y_source`, and the classes
    predicted `before_source` and `after_source`, (n,), int32, of the source's test items.

    After the transfer the backbone is the trial's; the head is the source's, as the strategy has
    trained it on, where it has; classes are counted in the source's order. Several sources as one
    have all their test items. Nothing where a source has no labelled ones, or has come as a model
    without its data.
    """
    schemas = data.source_schemas
    if not schemas or setup.source_weights is None:
        return {}
    if not all(each.splits.get("test") and each.has_labels("test") for each in schemas):
        return {}
    test = source_split(storage, data, "test")
    program = program_of(setup)
    trained = [phase.source_head for phase in program.phases if phase.source_head]
    backbone = [variable.numpy() for variable in program.network.backbone.variables]
    head = [variable.numpy() for variable in trained[-1].variables] if trained else None
    source = shared_network(Architecture.of(setup.model, data.source_schema))
    source.load_weights(setup.source_weights)
    before = outputs_of(source, test.items).argmax(1)
    for variable, value in zip(source.backbone.variables, backbone, strict=True):
        variable.assign(value)
    for variable, value in zip(source.head.variables, head or [], strict=bool(head)):
        variable.assign(value)
    after = outputs_of(source, test.items).argmax(1)
    if trained and setup.source_places:
        after = np.asarray(setup.source_places)[after]
    return {
        "y_source": test.y,
        "before_source": before.astype(np.int32),
        "after_source": after.astype(np.int32),
    }
