"""How much of the source a network still knows after the transfer."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.datasets.schemas import Schema
from app.datasets.tables import DatasetRow
from app.storage import Storage
from worker.backbones.network import Architecture
from worker.stored_data import dataset_split
from worker.training.predict import logits
from worker.training.program import program_of, shared_network
from worker.training.setup import TrialSetup


def forgetting(
    storage: Storage, setup: TrialSetup, sources: Sequence[DatasetRow]
) -> dict[str, Any]:
    """Of the trial that this process has just trained: `y_source`, and the classes predicted
    `before_source` and `after_source`, (n,), int32, of the source's test items.

    After the transfer the backbone is the trial's; the head is the source's, as the strategy has
    trained it on, where it has. Nothing where one source has no labelled test items, or where
    several are one: whose accuracy it would be is not clear.
    """
    if len(sources) != 1 or setup.source_weights is None:
        return {}
    schema = Schema.model_validate(sources[0].schema)
    if not schema.splits.get("test") or not schema.has_labels("test"):
        return {}
    test = dataset_split(storage, sources[0], "test")
    program = program_of(setup)
    trained = [phase.source_head for phase in program.phases if phase.source_head]
    backbone = [variable.numpy() for variable in program.network.backbone.variables]
    head = [variable.numpy() for variable in trained[-1].variables] if trained else None
    source = shared_network(Architecture.of(setup.spec.model, schema))
    source.load_weights(setup.source_weights)
    before = logits(source, test.x).argmax(1)
    for variable, value in zip(source.backbone.variables, backbone, strict=True):
        variable.assign(value)
    for variable, value in zip(source.head.variables, head or [], strict=bool(head)):
        variable.assign(value)
    after = logits(source, test.x).argmax(1)
    return {
        "y_source": test.y,
        "before_source": before.astype(np.int32),
        "after_source": after.astype(np.int32),
    }
